// The agent name of a connection: the configured name of the user, or else the user name. A session, or the metadata of
// a call, may state another one.

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

  func name(of uid: UInt32) -> String {
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
