// Histories: every fact about one twin, oldest first, in the parts in which the daemon sends them.

import CTwindProto
import TTRPC
import TwinRoutes

/// Which facts are wanted. Times are microseconds since the epoch; intervals are half-open, nil = no bound.
public struct FactOptions: Sendable {
  /// Attributes wanted, each with all names below it; empty = all.
  public var attributes: [String] = []
  /// What the data is for; empty = not stated.
  public var purpose = ""
  /// Only what was recorded from then on, and before then.
  public var recordedFrom: Int64?
  public var recordedTo: Int64?
  /// Only what is about some part of this time.
  public var validFrom: Int64?
  public var validTo: Int64?

  public init() {}
}

/// Some facts of a history.
public struct FactPart: Sendable {
  /// In the order of their recording.
  public let facts: [Fact]
  /// In the last part: the facts are complete up to here. 0 = more parts follow.
  public let sequence: UInt64
  public let redactions: [Redaction]
}

/// All facts that were wanted.
public struct FactList: Sendable {
  /// In the order of their recording.
  public let facts: [Fact]
  /// They are complete up to here.
  public let sequence: UInt64
  /// Each attribute that was withheld, once.
  public let redactions: [Redaction]
}

/// Facts that are on their way. Ends when it is released or cancelled.
public final class FactStream: Sendable {
  private let stream: ClientStream<Twind__V1__ListFactsRequest, Twind__V1__ListFactsResponse>

  init(_ stream: ClientStream<Twind__V1__ListFactsRequest, Twind__V1__ListFactsResponse>) { self.stream = stream }

  /// Waits for the next part; nil after the last.
  public func next() throws(RPCError) -> FactPart? {
    guard let reply = try stream.next() else { return nil }
    return reply.read { FactPart($0) }
  }

  /// Waits for all parts that are left.
  public func all() throws(RPCError) -> FactList {
    var facts: [Fact] = []
    var redactions: [Redaction] = []
    var sequence: UInt64 = 0
    while let part = try next() {
      facts += part.facts
      redactions += part.redactions.filter { !redactions.contains($0) }
      sequence = max(sequence, part.sequence)
    }
    if sequence == 0 { throw RPCError(.internal, "the daemon ended the facts without their last part") }
    return FactList(facts: facts, sequence: sequence, redactions: redactions)
  }

  /// Wants no more; `next` throws CANCELLED.
  public func cancel() { stream.cancel() }
}

extension TwindClient {
  /// Begins to read the facts about a twin. The stream throws NOT_FOUND when there never was one.
  public func facts(of name: String, _ options: FactOptions = FactOptions()) throws(RPCError) -> FactStream {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    return FactStream(try rpc.stream(TwinServiceRoutes.listFacts, Self.request(name, options, arena)))
  }

  /// The same for Swift concurrency, part by part.
  public func factParts(
    of name: String, _ options: FactOptions = FactOptions()
  ) throws(RPCError) -> AsyncThrowingMapSequence<
    AsyncThrowingStream<Received<Twind__V1__ListFactsResponse>, any Error>, FactPart
  > {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    return try rpc.messages(TwinServiceRoutes.listFacts, Self.request(name, options, arena)).map { reply throws in
      reply.read { FactPart($0) }
    }
  }

  private static func request(
    _ name: String, _ options: FactOptions, _ arena: Arena
  ) throws(RPCError) -> UnsafePointer<Twind__V1__ListFactsRequest> {
    let request = arena.make(Twind__V1__ListFactsRequest.self)
    request.pointee.name = arena.string(name)
    request.pointee.n_attributes = options.attributes.count
    request.pointee.attributes = arena.strings(options.attributes)
    request.pointee.purpose = arena.string(options.purpose)
    request.pointee.recorded_from_time = try wireTime(options.recordedFrom, "recordedFrom")
    request.pointee.recorded_to_time = try wireTime(options.recordedTo, "recordedTo")
    request.pointee.valid_from_time = try wireTime(options.validFrom, "validFrom")
    request.pointee.valid_to_time = try wireTime(options.validTo, "validTo")
    return UnsafePointer(request)
  }
}

extension FactPart {
  fileprivate init(_ message: UnsafePointer<Twind__V1__ListFactsResponse>) {
    facts = messages(message.pointee.facts, message.pointee.n_facts).map { Fact($0) }
    sequence = message.pointee.sequence
    redactions = messages(message.pointee.redactions, message.pointee.n_redactions).map { Redaction($0) }
  }
}

/// On the wire 0 stands for a time that is not stated, so the epoch itself cannot be.
func wireTime(_ micros: Int64?, _ what: String) throws(RPCError) -> Int64 {
  if micros == 0 {
    throw RPCError(.invalidArgument, "\(what) is the Unix epoch itself, which cannot be asked for: use 1 µs later")
  }
  try checkUnit(micros ?? 0, what)
  return micros ?? 0
}

/// What a whole number is that is no count of microseconds: the present in seconds, milliseconds and nanoseconds. As
/// microseconds these are times of early 1970, and of the year 33,000.
private let otherUnits: [(unit: String, range: Range<Int64>)] = [
  ("seconds", 1_000_000_000..<10_000_000_000), ("milliseconds", 1_000_000_000_000..<10_000_000_000_000),
  ("nanoseconds", 1_000_000_000_000_000_000..<Int64.max),
]

/// Throws INVALID_ARGUMENT for what looks like another unit.
func checkUnit(_ micros: Int64, _ what: String) throws(RPCError) {
  guard let other = otherUnits.first(where: { $0.range.contains(micros) }) else { return }
  throw RPCError(
    .invalidArgument,
    "\(what): \(micros) looks like \(other.unit) since the epoch, and is microseconds: multiply or divide it")
}
