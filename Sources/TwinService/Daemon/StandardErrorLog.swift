// Logs to standard error without ever blocking the daemon.

import Glibc
import Logging
import Synchronization

/// Writes one line per event: `time level message key=value`. A line that cannot be written at once is dropped and
/// counted.
package struct StandardErrorLog: LogHandler {
  /// How many lines were dropped since the start.
  package static let dropped = Atomic<UInt64>(0)
  /// Writes of up to this many bytes to a pipe are atomic.
  private static let lineBytesMax = Int(PIPE_BUF)

  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]

  package init(level: Logger.Level) { logLevel = level }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var line = "\(Self.time()) \(event.level) \(event.message)"
    let pairs = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in pairs.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
    Self.write(line.replacing("\n", with: " ") + "\n")
  }

  private static func write(_ line: String) {
    var bytes = Array(line.utf8.prefix(lineBytesMax))
    if bytes.count == lineBytesMax { bytes[lineBytesMax - 1] = UInt8(ascii: "\n") }
    var entry = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
    guard poll(&entry, 1, 0) == 1, entry.revents & Int16(POLLOUT) != 0, Glibc.write(2, bytes, bytes.count) > 0 else {
      dropped.add(1, ordering: .relaxed)
      return
    }
  }

  /// UTC, to the millisecond.
  private static func time() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let millis = String(now.tv_nsec / 1_000_000 + 1000).dropFirst()
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(millis)Z"
  }
}
