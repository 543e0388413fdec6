// Exports: every fact of every twin, in parts.

import CTwindProto
import TTRPC
import TwinRoutes

/// Some facts of one twin, or all.
public struct TwinHistory: Sendable {
  public let name: String
  /// Older facts have been dropped by retention: facts are complete from this time on, in microseconds since the epoch.
  /// nil: none were dropped.
  public let keptFrom: Int64?
  /// In the order in which they were recorded.
  public let facts: [Fact]
}

/// Some facts of an export.
public struct ExportPart: Sendable {
  /// In byte order of their names. The first twin may continue the last one of the previous part.
  public let twins: [TwinHistory]
  /// The export has all facts up to this sequence.
  public let sequence: UInt64
  /// In the last part: the number of twins and facts.
  public let total: (twins: UInt64, facts: UInt64)?
}

/// An export in progress. Ends when it is released or cancelled.
public final class FactExport: Sendable {
  private let stream: ClientStream<Twind__V1__ExportFactsRequest, Twind__V1__ExportFactsResponse>

  init(_ stream: ClientStream<Twind__V1__ExportFactsRequest, Twind__V1__ExportFactsResponse>) { self.stream = stream }

  /// Waits for the next part; nil after the last.
  public func next() throws(RPCError) -> ExportPart? {
    guard let reply = try stream.next() else { return nil }
    return reply.read { ExportPart($0) }
  }

  /// Ends the export; `next` throws CANCELLED.
  public func cancel() { stream.cancel() }
}

extension TwindClient {
  /// Starts to read every fact of the twins whose names begin with the prefix. For the daemon's own user and root.
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
