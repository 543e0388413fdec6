// Backup: copies everything up to one sequence to a new file while the daemon serves. One backup runs at a time, on its
// own thread. If the caller cancels or disconnects, the backup is removed.

import CLinux
import CTwindProto
import Synchronization
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension AdminService {
  func backup(_ call: ServerCall) {
    call.onMessage = { [self] (call, bytes) throws(RPCError) in
      let request = try call.unpack(Twind__V1__BackupRequest.self, bytes)
      let path = String(cString: request.pointee.path)
      guard path.hasPrefix("/") else {
        throw RPCError(
          .invalidArgument,
          "the path \"\(path)\" is relative: give an absolute path, since the daemon runs in another directory")
      }
      try lanes.maintenance.submit(for: call) { [store] in
        guard !call.isEnded else { return }
        let progress = BackupMessages(call)
        do throws(StoreError) {
          let report = try store.backup(to: path) { try progress.report($0) }
          progress.finish(report)
        } catch {
          let refusal = RPCError(backup: error)
          call.onThread { $0.fail(refusal) }
        }
      }
    }
  }
}

/// Sends progress to the caller. Used by one thread, which posts to the call's thread.
private final class BackupMessages {
  private static let intervalNanos: UInt64 = 100_000_000

  private let call: ServerCall
  private var sentAt: UInt64 = 0
  private var pages = (done: 0, total: 0)

  init(_ call: ServerCall) { self.call = call }

  /// Throws if the caller is gone.
  func report(_ progress: BackupProgress) throws(StoreError) {
    if call.isEnded { throw .cancelled }
    pages = (progress.pagesDone, progress.pagesTotal)
    let now = twind_monotonic_nanos()
    guard now - sentAt >= Self.intervalNanos else { return }
    sentAt = now
    // Who does not read misses some.
    send(isNeeded: false) { _ in }
  }

  func finish(_ report: BackupReport) {
    send(isNeeded: true) { message in
      message.pointee.sequence = report.sequence
      message.pointee.byte_count = UInt64(report.byteCount)
    }
    call.onThread { $0.finish() }
  }

  private func send(
    isNeeded: Bool, _ fill: @escaping @Sendable (UnsafeMutablePointer<Twind__V1__BackupResponse>) -> Void
  ) {
    let pages = pages
    call.onThread { call in
      guard isNeeded || call.isWritable else { return }
      let arena = Arena(chunkBytes: 256)
      let message = arena.make(Twind__V1__BackupResponse.self)
      message.pointee.pages_done = UInt64(pages.done)
      message.pointee.pages_total = UInt64(pages.total)
      fill(message)
      call.send(message)
    }
  }
}

extension RPCError {
  fileprivate init(backup error: StoreError) {
    let code: TTRPC.StatusCode =
      switch error {
      case .exists: .alreadyExists
      case .missing, .noDirectory: .notFound
      case .insideDataDirectory: .invalidArgument
      case .cancelled: .cancelled
      case .exhausted: .outOfRange
      case .unsound: .dataLoss
      case _ where error.isDataLoss: .dataLoss
      case _ where error.isTemporary: .resourceExhausted
      default: .unavailable
      }
    self.init(code, error.description)
  }
}
