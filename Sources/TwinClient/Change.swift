// Changes of attributes, and the options of writes.

import CTwindProto
import TTRPC

/// A change of one attribute, with its provenance.
public struct Change: Equatable, Sendable {
  public enum Operation: Equatable, Sendable {
    case set(Value)
    case remove
    /// Adds an int or a double.
    case increment(Value)
  }

  public var attribute: String
  public var operation: Operation
  /// When it begins to hold, in microseconds since the epoch; nil: at the time of the commit.
  public var validFrom: Int64?
  /// When it ceases to hold, in microseconds since the epoch; nil: never.
  public var validTo: Int64?
  /// How sure the writer is: above 0, at most 1; nil: not stated.
  public var confidence: Double?
  /// The source, for example "ticket:4711", at most 128 bytes.
  public var evidence: String?

  public init(_ attribute: String, _ operation: Operation) {
    self.attribute = attribute
    self.operation = operation
  }

  public static func set(_ attribute: String, _ value: Value) -> Change { Change(attribute, .set(value)) }
  public static func remove(_ attribute: String) -> Change { Change(attribute, .remove) }
  public static func increment(_ attribute: String, by delta: Value) -> Change { Change(attribute, .increment(delta)) }
}

/// A condition for a write. If it is false, nothing is written.
public enum Precondition: Equatable, Sendable {
  case none
  /// The twin has this revision; 0: it never existed.
  case revision(UInt64)
  case mustNotExist
}

/// What a write must survive before it is acknowledged.
public enum Durability: UInt32, Sendable, CaseIterable {
  /// The daemon's default.
  case unspecified = 0
  /// Nothing: it is applied in memory.
  case memory = 1
  /// A crash of the daemon: it is in the journal file.
  case journaled = 2
  /// A loss of power: it is synced to disk.
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

/// Options of all writes.
public struct WriteOptions: Sendable {
  /// At most 64 bytes. A write that the same agent repeats with the same key in the same space returns the first
  /// result.
  public var idempotencyKey: String?
  public var durability = Durability.unspecified
  /// What the data is for; empty: not stated.
  public var purpose = ""

  public init() {}

  /// The key on the wire. Throws INVALID_ARGUMENT for an empty key, which would mean no key.
  func wireKey(in arena: Arena) throws(RPCError) -> UnsafeMutablePointer<CChar> {
    if idempotencyKey == "" {
      throw RPCError(.invalidArgument, "the idempotency key is empty: leave it nil if there is none")
    }
    return arena.string(idempotencyKey ?? "")
  }
}

extension Change {
  /// Throws INVALID_ARGUMENT for values that would mean "not stated" on the wire, and for times in another unit.
  func check() throws(RPCError) {
    try checkUnit(validFrom ?? 0, "validFrom of \(attribute)")
    try checkUnit(validTo ?? 0, "validTo of \(attribute)")
    if confidence == 0 {
      throw RPCError(
        .invalidArgument, "the confidence of \(attribute) is 0, but must be above 0: leave it nil if it is not known")
    }
    if evidence == "" {
      throw RPCError(.invalidArgument, "the evidence of \(attribute) is empty: leave it nil if there is none")
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
