// The database file without its write-ahead log, as a loss of power would leave it: what segments of the journal may be
// deleted for.

import GRDB
import TwinStore

struct DatabaseAlone {
  private let bytes: [UInt8]

  /// Nil when there is no such file.
  init?(_ disk: SimulatedDisk, _ path: String) {
    guard let bytes = disk.durableContent(path) else { return nil }
    self.bytes = bytes
  }

  /// The sequence that the file states as applied.
  func appliedSequence() throws -> UInt64 {
    let disk = SimulatedDisk(seed: 0)
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 0 })
    defer { withExtendedLifetime(vfs) {} }
    let file = try mount.open("/alone.db", .create)
    try bytes.withUnsafeBytes { bytes throws(Errno) in try file.writeAll(bytes, at: 0) }
    let queue = try DatabaseQueue(path: "file:/alone.db?vfs=\(mount.sqliteVFS ?? "")")
    defer { try? queue.close() }
    let applied = try queue.read { db in try Int64.fetchOne(db, sql: "SELECT applied_sequence FROM checkpoint") }
    return UInt64(applied ?? 0)
  }
}
