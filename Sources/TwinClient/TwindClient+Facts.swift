// Histories: the facts about one twin, oldest first, in parts.

import CTwindProto
import TTRPC
import TwinRoutes

/// Which facts to read. Times are microseconds since the epoch; ranges exclude their end; nil: no bound.
public struct FactOptions: Sendable {
  /// Names of attributes, including those below them ("address" includes "address.city"); empty: all.
  public var attributes: [String] = []
  /// What the data is for; empty: not stated.
  public var purpose = ""
  /// Only facts recorded at or after the first time and before the second.
  public var recordedFrom: Int64?
  public var recordedTo: Int64?
  /// Only facts that are valid at some time in this range.
  public var validFrom: Int64?
  public var validTo: Int64?

  public init() {}
}

/// Some facts of a history.
public struct FactPart: Sendable {
  /// In the order in which they were recorded.
  public let facts: [Fact]
  /// In the last part, the sequence up to which the facts are complete. 0: more parts follow.
  public let sequence: UInt64
  public let redactions: [Redaction]
}

/// A complete history.
public struct FactList: Sendable {
  /// In the order in which they were recorded.
  public let facts: [Fact]
  /// The facts are complete up to this sequence.
  public let sequence: UInt64
  /// The attributes that were withheld, once each.
  public let redactions: [Redaction]
}

/// A history in progress. Ends when it is released or cancelled.
public final class FactStream: Sendable {
  private let stream: ClientStream<Twind__V1__ListFactsRequest, Twind__V1__ListFactsResponse>

  init(_ stream: ClientStream<Twind__V1__ListFactsRequest, Twind__V1__ListFactsResponse>) { self.stream = stream }

  /// Waits for the next part; nil after the last.
  public func next() throws(RPCError) -> FactPart? {
    guard let reply = try stream.next() else { return nil }
    return reply.read { FactPart($0) }
  }

  /// Waits for all remaining parts.
  public func all() throws(RPCError) -> FactList {
    var facts: [Fact] = []
    var redactions: [Redaction] = []
    var sequence: UInt64 = 0
    while let part = try next() {
      facts += part.facts
      redactions += part.redactions.filter { !redactions.contains($0) }
      sequence = max(sequence, part.sequence)
    }
    if sequence == 0 { throw RPCError(.internal, "the daemon ended the stream before the last facts") }
    return FactList(facts: facts, sequence: sequence, redactions: redactions)
  }

  /// Ends the history; `next` throws CANCELLED.
  public func cancel() { stream.cancel() }
}

extension TwindClient {
  /// Starts to read the facts about a twin. The stream throws NOT_FOUND if the twin never existed.
  public func facts(of name: String, _ options: FactOptions = FactOptions()) throws(RPCError) -> FactStream {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    return FactStream(try rpc.stream(TwinServiceRoutes.listFacts, Self.request(name, options, arena)))
  }

  /// The same as an async sequence of parts.
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

/// On the wire 0 means "not stated", so the epoch itself cannot be expressed.
func wireTime(_ micros: Int64?, _ what: String) throws(RPCError) -> Int64 {
  if micros == 0 {
    throw RPCError(.invalidArgument, "\(what) is the Unix epoch itself, which is not supported: use 1 µs later")
  }
  try checkUnit(micros ?? 0, what)
  return micros ?? 0
}

/// Numbers that are probably in another unit: as microseconds, the present in seconds or milliseconds would be in
/// January 1970, and in nanoseconds after the year 33,000.
private let otherUnits: [(unit: String, range: Range<Int64>)] = [
  ("seconds", 1_000_000_000..<10_000_000_000), ("milliseconds", 1_000_000_000_000..<10_000_000_000_000),
  ("nanoseconds", 1_000_000_000_000_000_000..<Int64.max),
]

/// Throws INVALID_ARGUMENT for a time that looks like another unit.
func checkUnit(_ micros: Int64, _ what: String) throws(RPCError) {
  guard let other = otherUnits.first(where: { $0.range.contains(micros) }) else { return }
  throw RPCError(
    .invalidArgument,
    "\(what) is \(micros), which looks like \(other.unit) since the epoch: convert it to microseconds")
}
