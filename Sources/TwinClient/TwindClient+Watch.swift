// Watches: a snapshot, then every commit.

import CTwindProto
import TTRPC
import TwinRoutes

/// What to watch.
public struct WatchOptions: Sendable {
  /// Twins by name; empty = all that begin with `prefix`.
  public var names: [String] = []
  public var prefix = ""
  /// The last sequence seen: no snapshot, but every commit after it.
  public var fromSequence: UInt64?
  /// One event may stand for several commits.
  public var coalesce = false
  public var attributes: [String] = []
  public var purpose = ""

  public init() {}
}

/// A part of the snapshot, one commit (more when coalescing), or a sign of progress.
public struct WatchEvent: Sendable {
  /// What one commit did to one twin.
  public struct Change: Sendable {
    public let name: String
    public let revision: UInt64
    /// Set or incremented, as they are after the commit.
    public let attributes: [Attribute]
    public let removed: [String]
    /// The removals that `removed` names: since when, until when, by whom.
    public let ended: [Fact]
    /// It did not exist before the commit, or had been deleted.
    public let isCreated: Bool
    /// It was deleted, with all its attributes.
    public let isDeleted: Bool
    /// What the commit recorded about the past or the future: it does not hold at the commit's time.
    public let otherFacts: [Fact]
  }

  /// Everything up to here has been delivered: a later watch may begin from it. 0 while the snapshot is not complete.
  public let sequence: UInt64
  public let snapshot: [Twin]
  public let isSnapshotComplete: Bool
  public let changes: [Change]
  public let redactions: [Redaction]
}

/// A watch that is open. Ends when it is released or cancelled.
public final class TwinWatch: Sendable {
  private let stream: ClientStream<Twind__V1__WatchTwinsRequest, Twind__V1__WatchTwinsResponse>

  init(_ stream: ClientStream<Twind__V1__WatchTwinsRequest, Twind__V1__WatchTwinsResponse>) { self.stream = stream }

  /// Waits for the next event; nil when the daemon has ended the watch.
  public func next() throws(RPCError) -> WatchEvent? {
    guard let reply = try stream.next() else { return nil }
    return reply.read { WatchEvent($0) }
  }

  /// Ends the watch; `next` throws CANCELLED.
  public func cancel() { stream.cancel() }
}

extension TwindClient {
  /// Begins to watch.
  public func watch(_ options: WatchOptions) throws(RPCError) -> TwinWatch {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    return TwinWatch(try rpc.stream(TwinServiceRoutes.watchTwins, Self.request(options, arena)))
  }

  /// The same for Swift concurrency.
  public func events(_ options: WatchOptions) throws(RPCError) -> AsyncThrowingMapSequence<
    AsyncThrowingStream<Received<Twind__V1__WatchTwinsResponse>, any Error>, WatchEvent
  > {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    return try rpc.messages(TwinServiceRoutes.watchTwins, Self.request(options, arena)).map { reply throws in
      reply.read { WatchEvent($0) }
    }
  }

  private static func request(
    _ options: WatchOptions, _ arena: Arena
  ) -> UnsafePointer<Twind__V1__WatchTwinsRequest> {
    let request = arena.make(Twind__V1__WatchTwinsRequest.self)
    request.pointee.n_names = options.names.count
    request.pointee.names = arena.strings(options.names)
    request.pointee.prefix = arena.string(options.prefix)
    if let sequence = options.fromSequence {
      request.pointee.start_case = TWIND__V1__WATCH_TWINS_REQUEST__START_FROM_SEQUENCE
      request.pointee.from_sequence = sequence
    }
    request.pointee.coalesce = options.coalesce ? 1 : 0
    request.pointee.n_attributes = options.attributes.count
    request.pointee.attributes = arena.strings(options.attributes)
    request.pointee.purpose = arena.string(options.purpose)
    return UnsafePointer(request)
  }
}

extension WatchEvent {
  fileprivate init(_ message: UnsafePointer<Twind__V1__WatchTwinsResponse>) {
    let reply = message.pointee
    sequence = reply.sequence
    snapshot = messages(reply.snapshot, reply.n_snapshot).map { Twin($0) }
    isSnapshotComplete = reply.snapshot_complete != 0
    changes = messages(reply.changes, reply.n_changes).map { Change($0) }
    redactions = messages(reply.redactions, reply.n_redactions).map { Redaction($0) }
  }
}

extension WatchEvent.Change {
  fileprivate init(_ message: UnsafePointer<Twind__V1__TwinChange>) {
    name = String(cString: message.pointee.name)
    revision = message.pointee.revision
    attributes = messages(message.pointee.attributes, message.pointee.n_attributes).map { Attribute($0) }
    removed = (0..<message.pointee.n_removed).map { String(cString: message.pointee.removed[$0]!) }
    ended = messages(message.pointee.ended, message.pointee.n_ended).map { Fact($0) }
    isCreated = message.pointee.created != 0
    isDeleted = message.pointee.deleted != 0
    otherFacts = messages(message.pointee.other_facts, message.pointee.n_other_facts).map { Fact($0) }
  }
}
