// Which agent calls: what the caller states, else what the configuration or the system calls its user.

import Threads
import CTwindProto
import Glibc
import TTRPC
import TwinCore

/// Names of users. Looked up once each; any thread may ask.
package final class Agents: Sendable {
  /// The metadata key with which a caller names its agent.
  package static let metadataKey: StaticString = "twind-agent"

  private let lock = Lock()
  nonisolated(unsafe) private var names: [UInt32: String]

  /// - Parameter configured: agents by uid.
  package init(configured: [UInt32: String] = [:]) { names = configured }

  /// The agent of a call.
  func agent(of call: borrowing UnaryCall) -> String {
    call.metadata[Self.metadataKey] ?? name(of: call.peer.uid)
  }

  private func name(of uid: UInt32) -> String {
    lock.withLock {
      if let name = names[uid] { return name }
      let name = Self.systemName(of: uid) ?? "uid-\(uid)"
      names[uid] = name
      return name
    }
  }

  private static func systemName(of uid: UInt32) -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
      guard getpwuid_r(uid, &entry, buffer.baseAddress!, buffer.count, &found) == 0, found != nil else { return nil }
      return String(cString: entry.pw_name)
    }
  }
}

extension Text {
  /// Lends a string to code that takes texts.
  static func lending<Result, Failure: Error>(
    _ string: String, _ body: (Text) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = Array(string.utf8CString)
    return try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
      try body(Text(start: buffer.baseAddress!, count: buffer.count - 1))
    }
  }
}
