// The database file without its write-ahead log, as a loss of power would leave it: what segments of the journal may be
// deleted for.

import GRDB
import TwinStore

enum DatabaseAlone {
  /// The sequence that the database states as applied; nil when it states none.
  static func appliedSequence(_ content: [UInt8]) throws -> Int64? {
    let disk = SimulatedDisk(seed: 0)
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 0 })
    defer { withExtendedLifetime(vfs) {} }
    try mount.make("/alone.db", content)
    let queue = try DatabaseQueue(path: "file:/alone.db?vfs=\(mount.sqliteVFS ?? "")")
    let applied = try queue.read { db in try Int64.fetchOne(db, sql: "SELECT applied_sequence FROM checkpoint") }
    try queue.close()
    return applied
  }
}
