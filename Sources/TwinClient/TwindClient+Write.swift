// Writes: updates of one or several twins, and deletion.

import CTwindProto
import TTRPC
import TwinRoutes

/// An acknowledged write.
public struct WriteResult: Equatable, Sendable {
  /// The commit's sequence; if nothing changed, the sequence of the last commit.
  public let sequence: UInt64
  /// Each twin's revision after the commit, in the order of the request.
  public let revisions: [UInt64]
  /// What the write survives.
  public let durability: Durability
  /// How many facts were recorded; 0: nothing changed.
  public let factCount: Int
}

/// A write in progress. Wait for it once, from any thread.
public struct PendingWrite: Sendable {
  private let call: PendingCall<Twind__V1__BatchUpdateTwinsResponse>

  init(_ call: PendingCall<Twind__V1__BatchUpdateTwinsResponse>) { self.call = call }

  /// Waits for the result.
  public func wait() throws(RPCError) -> WriteResult {
    let reply = try call.wait()
    return reply.read { reply in
      let message = reply.pointee
      return WriteResult(
        sequence: message.sequence, revisions: (0..<message.n_revisions).map { message.revisions[$0] },
        durability: Durability(message.durability), factCount: Int(message.fact_count))
    }
  }
}

/// The write to one twin in a batch.
public struct TwinUpdate: Equatable, Sendable {
  public var name: String
  public var changes: [Change]
  public var precondition: Precondition

  public init(_ name: String, _ changes: [Change], precondition: Precondition = .none) {
    self.name = name
    self.changes = changes
    self.precondition = precondition
  }
}

extension TwindClient {
  /// Changes one twin atomically. Creates it if it does not exist.
  @discardableResult
  public func update(
    _ name: String, _ changes: [Change], precondition: Precondition = .none, _ options: WriteOptions = WriteOptions()
  ) throws(RPCError) -> WriteResult {
    let arena = Arena(chunkBytes: 1024)
    let request = try Self.request(TwinUpdate(name, changes, precondition: precondition), options, arena)
    defer { withExtendedLifetime(arena) {} }
    return try rpc.call(TwinServiceRoutes.updateTwin, request).read { WriteResult($0) }
  }

  /// The same without blocking a thread.
  @discardableResult
  public func update(
    _ name: String, _ changes: [Change], precondition: Precondition = .none, _ options: WriteOptions = WriteOptions()
  ) async throws -> WriteResult {
    let arena = Arena(chunkBytes: 1024)
    let request = try Self.request(TwinUpdate(name, changes, precondition: precondition), options, arena)
    defer { withExtendedLifetime(arena) {} }
    return try await rpc.callAsync(TwinServiceRoutes.updateTwin, request).read { WriteResult($0) }
  }

  /// Changes up to 256 twins in one commit, atomically.
  @discardableResult
  public func update(many updates: [TwinUpdate], _ options: WriteOptions = WriteOptions()) throws(RPCError)
    -> WriteResult
  {
    try start(many: updates, options).wait()
  }

  /// The same without waiting, so that several batches can be in flight. They take effect in the order in which they
  /// were started.
  public func start(
    many updates: [TwinUpdate], _ options: WriteOptions = WriteOptions()
  ) throws(RPCError) -> PendingWrite {
    let arena = Arena(chunkBytes: 16 << 10)
    let request = arena.make(Twind__V1__BatchUpdateTwinsRequest.self)
    request.pointee.n_requests = updates.count
    request.pointee.requests = arena.array(
      try updates.map { (update) throws(RPCError) in
        UnsafeMutablePointer(mutating: try Self.request(update, WriteOptions(), arena))
      })
    request.pointee.idempotency_key = try options.wireKey(in: arena)
    request.pointee.durability = options.durability.wire
    request.pointee.purpose = arena.string(options.purpose)
    defer { withExtendedLifetime(arena) {} }
    let pending = try rpc.start(TwinServiceRoutes.batchUpdateTwins, UnsafePointer(request))
    rpc.flush()
    return PendingWrite(pending)
  }

  /// Deletes one twin. Throws NOT_FOUND if it does not exist.
  @discardableResult
  public func delete(
    _ name: String, expectedRevision: UInt64? = nil, _ options: WriteOptions = WriteOptions()
  ) throws(RPCError) -> WriteResult {
    let reply = try call(TwinServiceRoutes.deleteTwin) { (arena, request) throws(RPCError) in
      request.pointee.name = arena.string(name)
      if let expectedRevision {
        request.pointee.precondition_case = TWIND__V1__DELETE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION
        request.pointee.expected_revision = expectedRevision
      }
      request.pointee.idempotency_key = try options.wireKey(in: arena)
      request.pointee.durability = options.durability.wire
      request.pointee.purpose = arena.string(options.purpose)
    }
    return reply.read { reply in
      WriteResult(
        sequence: reply.pointee.sequence, revisions: [reply.pointee.revision],
        durability: Durability(reply.pointee.durability), factCount: 1)
    }
  }

  private static func request(
    _ update: TwinUpdate, _ options: WriteOptions, _ arena: Arena
  ) throws(RPCError) -> UnsafePointer<Twind__V1__UpdateTwinRequest> {
    for change in update.changes { try change.check() }
    let request = arena.make(Twind__V1__UpdateTwinRequest.self)
    request.pointee.name = arena.string(update.name)
    request.pointee.n_changes = update.changes.count
    request.pointee.changes = arena.array(update.changes.map { $0.wire(in: arena) })
    switch update.precondition {
    case .none: break
    case .revision(let revision):
      request.pointee.precondition_case = TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION
      request.pointee.expected_revision = revision
    case .mustNotExist:
      request.pointee.precondition_case = TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_MUST_NOT_EXIST
      request.pointee.must_not_exist = 1
    }
    request.pointee.idempotency_key = try options.wireKey(in: arena)
    request.pointee.durability = options.durability.wire
    request.pointee.purpose = arena.string(options.purpose)
    return UnsafePointer(request)
  }
}

extension WriteResult {
  fileprivate init(_ message: UnsafePointer<Twind__V1__UpdateTwinResponse>) {
    sequence = message.pointee.sequence
    revisions = [message.pointee.revision]
    durability = Durability(message.pointee.durability)
    factCount = Int(message.pointee.fact_count)
  }
}
