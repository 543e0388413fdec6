// A private directory and the processes that work in it: both go away with the benchmark, also when it is interrupted.

import Foundation
import Threads

/// Made for one run; `remove` ends what was started in it.
final class Scratch: @unchecked Sendable {
  let directory: URL
  private let lock = Lock()
  private var children: [Child] = []

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "twinbench-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    Interruption.shared.add(self)
  }

  /// A path in the directory, short enough for a socket.
  func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

  /// A directory in the directory.
  func folder(_ name: String) throws -> String {
    let path = path(name)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  func start(_ name: String, _ command: [String], core: Int? = nil) throws -> Child {
    let child = try Child(name, command, core: core, log: path(name + ".log"))
    lock.withLock { children.append(child) }
    return child
  }

  /// Ends the processes; what they wrote stays.
  func stopAll() {
    let running = lock.withLock { () -> [Child] in
      defer { children = [] }
      return children
    }
    for child in running { child.stop() }
  }

  func remove() {
    Interruption.shared.waitIfHappening()
    clear()
  }

  func clear() {
    stopAll()
    try? FileManager.default.removeItem(at: directory)
  }
}
