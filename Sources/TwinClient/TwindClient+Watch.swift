// Watches: a snapshot, then every commit.

import CTwindProto
import TTRPC
import TwinRoutes

/// What to watch.
public struct WatchOptions: Sendable {
  /// Names of twins; empty: all that begin with `prefix`.
  public var names: [String] = []
  public var prefix = ""
  /// Continue after this sequence, without a snapshot.
  public var fromSequence: UInt64?
  /// Allow several commits to be merged into one event.
  public var coalesce = false
  public var attributes: [String] = []
  public var purpose = ""

  public init() {}
}

/// A part of the snapshot, a commit (or several, when coalescing), or a sign of progress.
public struct WatchEvent: Sendable {
  /// What a commit did to a twin.
  public struct Change: Sendable {
    public let name: String
    public let revision: UInt64
    /// The attributes that were set or incremented, as they are after the commit.
    public let attributes: [Attribute]
    public let removed: [String]
    /// The facts behind `removed`: from when, until when, and by whom.
    public let ended: [Fact]
    /// The twin did not exist before the commit, or had been deleted.
    public let isCreated: Bool
    /// The twin was deleted, with all its attributes.
    public let isDeleted: Bool
    /// Facts that the commit recorded about the past or the future, which do not hold at its time.
    public let otherFacts: [Fact]
  }

  /// Everything up to this sequence has been delivered; a later watch can continue from it. 0 until the snapshot is
  /// complete.
  public let sequence: UInt64
  public let snapshot: [Twin]
  public let isSnapshotComplete: Bool
  public let changes: [Change]
  public let redactions: [Redaction]
}

/// An open watch. Ends when it is released or cancelled.
public final class TwinWatch: Sendable {
  private let stream: ClientStream<Twind__V1__WatchTwinsRequest, Twind__V1__WatchTwinsResponse>

  init(_ stream: ClientStream<Twind__V1__WatchTwinsRequest, Twind__V1__WatchTwinsResponse>) { self.stream = stream }

  /// Waits for the next event; nil if the daemon ended the watch.
  public func next() throws(RPCError) -> WatchEvent? {
    guard let reply = try stream.next() else { return nil }
    return reply.read { WatchEvent($0) }
  }

  /// Ends the watch; `next` throws CANCELLED.
  public func cancel() { stream.cancel() }
}

extension TwindClient {
  /// Starts to watch.
  public func watch(_ options: WatchOptions) throws(RPCError) -> TwinWatch {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    return TwinWatch(try rpc.stream(TwinServiceRoutes.watchTwins, Self.request(options, arena)))
  }

  /// The same as an async sequence.
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
