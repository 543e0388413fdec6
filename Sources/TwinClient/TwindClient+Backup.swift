// A backup that the daemon makes while it serves.

import CTwindProto
import TTRPC
import TwinRoutes

/// How far a backup is.
public struct BackupEvent: Sendable {
  public let pagesDone: UInt64
  /// 0 = not known yet.
  public let pagesTotal: UInt64
  /// In the last event: the backup holds everything up to this sequence, is verified, and has so many bytes. Else 0.
  public let sequence: UInt64
  public let byteCount: UInt64
}

extension TwindClient {
  /// Has the daemon write a backup into a new file, and waits for it. Its last event is returned.
  ///
  /// - Parameter path: absolute; on the daemon's machine and for its user to write.
  public func backup(
    to path: String, progress: (BackupEvent) -> Void = { _ in }
  ) throws(RPCError) -> BackupEvent {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    let request = arena.make(Twind__V1__BackupRequest.self)
    request.pointee.path = arena.string(path)
    let stream = try rpc.stream(AdminServiceRoutes.backup, UnsafePointer(request))
    var last: BackupEvent?
    while let reply = try stream.next() {
      let event = reply.read { BackupEvent($0.pointee) }
      progress(event)
      last = event
    }
    guard let last, last.byteCount > 0 else { throw RPCError(.dataLoss, "the daemon did not say that it was done") }
    return last
  }
}

extension BackupEvent {
  fileprivate init(_ message: Twind__V1__BackupResponse) {
    pagesDone = message.pages_done
    pagesTotal = message.pages_total
    sequence = message.sequence
    byteCount = message.byte_count
  }
}
