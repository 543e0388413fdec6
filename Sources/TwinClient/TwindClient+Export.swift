// An export: every fact of every twin, in the parts in which the daemon sends them.

import CTwindProto
import TTRPC
import TwinRoutes

/// Some facts of one twin, or all.
public struct TwinHistory: Sendable {
  public let name: String
  /// From when on its facts are all there, microseconds since the epoch: retention has dropped older ones. Nil = all that
  /// there ever were.
  public let keptFrom: Int64?
  /// In the order of their recording.
  public let facts: [Fact]
}

/// Some facts of an export.
public struct ExportPart: Sendable {
  /// In byte order of their names. The first one may go on from the part before.
  public let twins: [TwinHistory]
  /// The facts are those up to this sequence.
  public let sequence: UInt64
  /// In the last part: how many twins and facts there were.
  public let total: (twins: UInt64, facts: UInt64)?
}

/// An export that is on its way. Ends when it is released or cancelled.
public final class FactExport: Sendable {
  private let stream: ClientStream<Twind__V1__ExportFactsRequest, Twind__V1__ExportFactsResponse>

  init(_ stream: ClientStream<Twind__V1__ExportFactsRequest, Twind__V1__ExportFactsResponse>) { self.stream = stream }

  /// Waits for the next part; nil after the last.
  public func next() throws(RPCError) -> ExportPart? {
    guard let reply = try stream.next() else { return nil }
    return reply.read { ExportPart($0) }
  }

  /// Wants no more; `next` throws CANCELLED.
  public func cancel() { stream.cancel() }
}

extension TwindClient {
  /// Begins to read every fact of the twins whose names begin with the prefix. For the daemon's own user and root.
  public func exportFacts(prefix: String = "") throws(RPCError) -> FactExport {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    let request = arena.make(Twind__V1__ExportFactsRequest.self)
    request.pointee.prefix = arena.string(prefix)
    return FactExport(try rpc.stream(AdminServiceRoutes.exportFacts, UnsafePointer(request)))
  }
}

extension ExportPart {
  fileprivate init(_ message: UnsafePointer<Twind__V1__ExportFactsResponse>) {
    let part = message.pointee
    twins = messages(part.twins, part.n_twins).map { TwinHistory($0.pointee) }
    sequence = part.sequence
    total = part.complete != 0 ? (part.twin_count, part.fact_count) : nil
  }
}

extension TwinHistory {
  fileprivate init(_ message: Twind__V1__TwinHistory) {
    name = String(cString: message.name)
    keptFrom = message.kept_from_time == 0 ? nil : message.kept_from_time
    facts = messages(message.facts, message.n_facts).map { Fact($0) }
  }
}
