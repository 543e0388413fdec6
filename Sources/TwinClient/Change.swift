// One change of one attribute, as a client asks for it.

import CTwindProto
import TTRPC

/// A change, with what the agent can say about it.
public struct Change: Equatable, Sendable {
  public enum Operation: Equatable, Sendable {
    case set(Value)
    case remove
    /// Adds an int or a double.
    case increment(Value)
  }

  public var attribute: String
  public var operation: Operation
  /// Microseconds since the epoch from which it holds; nil = the time of the commit.
  public var validFrom: Int64?
  /// Microseconds since the epoch until which it holds; nil = open.
  public var validTo: Int64?
  /// Above 0, at most 1; nil = not stated.
  public var confidence: Double?
  /// What it is based on, at most 128 bytes.
  public var evidence: String?

  public init(_ attribute: String, _ operation: Operation) {
    self.attribute = attribute
    self.operation = operation
  }

  public static func set(_ attribute: String, _ value: Value) -> Change { Change(attribute, .set(value)) }
  public static func remove(_ attribute: String) -> Change { Change(attribute, .remove) }
  public static func increment(_ attribute: String, by delta: Value) -> Change { Change(attribute, .increment(delta)) }
}

/// What must hold for a write to happen.
public enum Precondition: Equatable, Sendable {
  case none
  /// The twin's revision; 0 = it must never have existed.
  case revision(UInt64)
  case mustNotExist
}

/// What a write must have survived before it is acknowledged.
public enum Durability: UInt32, Sendable, CaseIterable {
  /// The daemon's default.
  case unspecified = 0
  /// Applied in memory.
  case memory = 1
  /// In the journal file: survives a crash of the process.
  case journaled = 2
  /// Synced to the disk: survives loss of power.
  case synced = 3

  public var name: String {
    switch self {
    case .unspecified: "UNSPECIFIED"
    case .memory: "MEMORY"
    case .journaled: "JOURNALED"
    case .synced: "SYNCED"
    }
  }

  var wire: Twind__V1__Durability { Twind__V1__Durability(rawValue: rawValue) }

  init(_ wire: Twind__V1__Durability) { self = Durability(rawValue: wire.rawValue) ?? .unspecified }
}

/// What all writes may state.
public struct WriteOptions: Sendable {
  /// At most 64 bytes. The same key of the same agent in the same space returns the first result again. nil = none.
  public var idempotencyKey: String?
  public var durability = Durability.unspecified
  /// What the data is for; empty = not stated.
  public var purpose = ""

  public init() {}

  /// The key as the wire has it. Throws INVALID_ARGUMENT for an empty one, which would be none.
  func wireKey(in arena: Arena) throws(RPCError) -> UnsafeMutablePointer<CChar> {
    if idempotencyKey == "" {
      throw RPCError(.invalidArgument, "the idempotency key is empty: leave it out when there is none")
    }
    return arena.string(idempotencyKey ?? "")
  }
}

extension Change {
  /// Throws INVALID_ARGUMENT for what the wire would take for something not stated, or for another time.
  func check() throws(RPCError) {
    try checkUnit(validFrom ?? 0, "validFrom of \(attribute)")
    try checkUnit(validTo ?? 0, "validTo of \(attribute)")
    if confidence == 0 {
      throw RPCError(
        .invalidArgument, "the confidence of \(attribute) is 0, and is above 0: make it nil when it is not known")
    }
    if evidence == "" {
      throw RPCError(.invalidArgument, "the evidence of \(attribute) is empty: make it nil when there is none")
    }
  }

  func wire(in arena: Arena) -> UnsafeMutablePointer<Twind__V1__Change> {
    let message = arena.make(Twind__V1__Change.self)
    message.pointee.attribute = arena.string(attribute)
    switch operation {
    case .set(let value):
      message.pointee.op_case = TWIND__V1__CHANGE__OP_SET
      message.pointee.set = value.wire(in: arena)
    case .remove:
      message.pointee.op_case = TWIND__V1__CHANGE__OP_REMOVE
      message.pointee.remove = 1
    case .increment(let delta):
      message.pointee.op_case = TWIND__V1__CHANGE__OP_INCREMENT
      message.pointee.increment = delta.wire(in: arena)
    }
    message.pointee.valid_from_time = validFrom ?? 0
    message.pointee.valid_to_time = validTo ?? 0
    message.pointee.confidence = confidence ?? 0
    message.pointee.evidence = arena.string(evidence ?? "")
    return message
  }
}
