// The agent name of a call: the one in its metadata, or else the configured name of the user, or else the user name.

import Threads
import CTwindProto
import Glibc
import TTRPC
import TwinCore

/// The agent names of users. Each user is looked up once. Thread-safe.
package final class Agents: Sendable {
  /// The metadata key for the agent name.
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
  /// Passes a string to code that takes a Text.
  static func lending<Result, Failure: Error>(
    _ string: String, _ body: (Text) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let bytes = Array(string.utf8CString)
    return try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
      try body(Text(start: buffer.baseAddress!, count: buffer.count - 1))
    }
  }
}
