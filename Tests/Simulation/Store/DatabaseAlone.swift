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
    try copy(content, to: mount.open("/alone.db", .create))
    let queue = try DatabaseQueue(path: "file:/alone.db?vfs=\(mount.sqliteVFS ?? "")")
    let applied = try queue.read { db in try Int64.fetchOne(db, sql: "SELECT applied_sequence FROM checkpoint") }
    try queue.close()
    return applied
  }

  private static func copy(_ content: [UInt8], to file: any File) throws(Errno) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 8)
    defer { copy.deallocate() }
    copy.copyBytes(from: content)
    try file.writeAll(UnsafeRawBufferPointer(copy), at: 0)
  }
}
