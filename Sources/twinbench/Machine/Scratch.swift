// A private directory and the processes that work in it: both go away with the benchmark, also when it is interrupted.

import Dispatch
import Foundation
import Threads

/// Made for one run; `remove` ends what was started in it.
final class Scratch: @unchecked Sendable {
  let directory: URL
  private let lock = Lock()
  private var children: [Child] = []
  private var signals: [any DispatchSourceSignal] = []

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "twinbench-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [self] in
        remove()
        _exit(128 + number)
      }
      source.resume()
      signals.append(source)
    }
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
    stopAll()
    try? FileManager.default.removeItem(at: directory)
  }
}
