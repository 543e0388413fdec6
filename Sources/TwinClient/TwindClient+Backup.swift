// Online backups.

import CTwindProto
import TTRPC
import TwinRoutes

/// The progress of a backup.
public struct BackupEvent: Sendable {
  public let pagesDone: UInt64
  /// 0: not known yet.
  public let pagesTotal: UInt64
  /// 0 except in the last event: the verified backup has everything up to this sequence, and this many bytes.
  public let sequence: UInt64
  public let byteCount: UInt64
}

extension TwindClient {
  /// Makes the daemon write a backup to a new file, waits until it is complete and verified, and returns the last
  /// event.
  ///
  /// - Parameter path: absolute, on the daemon's machine, and writable by its user.
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
    guard let last, last.byteCount > 0 else {
      throw RPCError(
        .dataLoss,
        "the daemon ended the stream before the backup was complete")
    }
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
