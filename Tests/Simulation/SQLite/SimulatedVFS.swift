// SQLite's operating system interface over a FileSystem, so that a database and a journal share one simulated disk.
//
// Promises: what os_unix.c of SQLite does with the same calls: a new journal's or log's directory is synced with the
// first sync of that file, and a failure of that is not reported; errors become SQLITE_IOERR_…, a full disk
// SQLITE_FULL; shared memory and locks are the process's own. Randomness and time come from the caller, so that a run
// repeats exactly. Open a database as `file:PATH?vfs=NAME`; SQLite seeds its generator once, from the default VFS:
// `seedSQLite` does it again.

import GRDBSQLite
import Threads
import TwinStore

package final class SimulatedVFS: @unchecked Sendable {
  let fileSystem: any FileSystem
  private let lock = Lock()
  private var random: Random
  private let wallMicros: @Sendable () -> Int64
  private var shared: [String: SharedDatabase] = [:]
  private var temporaries = 0
  private let vfs: UnsafeMutablePointer<sqlite3_vfs>
  private let name: UnsafeMutablePointer<CChar>

  /// Registers the file system's `sqliteVFS`; it stays until this and every file opened by it are released.
  /// - Parameter seedSQLite: make it the default, and have SQLite take its random numbers from it from here on.
  package init(_ mount: Mount, wallMicros: @escaping @Sendable () -> Int64, seedSQLite: Bool = false) {
    fileSystem = mount
    random = mount.random
    self.wallMicros = wallMicros
    let text = Array((mount.sqliteVFS ?? "").utf8CString)
    name = .allocate(capacity: text.count)
    name.initialize(from: text, count: text.count)
    vfs = .allocate(capacity: 1)
    vfs.initialize(to: sqlite3_vfs())
    vfs.pointee.iVersion = 2
    vfs.pointee.szOsFile = CInt(MemoryLayout<VFSFile>.stride)
    vfs.pointee.mxPathname = 512
    vfs.pointee.zName = UnsafePointer(name)
    vfs.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
    setCallbacks(of: &vfs.pointee)
    sqlite3_vfs_register(vfs, seedSQLite ? 1 : 0)
    if seedSQLite { sqlite3_randomness(0, nil) }
  }

  deinit {
    sqlite3_vfs_unregister(vfs)
    vfs.deallocate()
    name.deallocate()
  }

  static func of(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> SimulatedVFS? {
    vfs?.pointee.pAppData.map { Unmanaged<SimulatedVFS>.fromOpaque($0).takeUnretainedValue() }
  }

  /// What all connections to a database have in common; gone with the last of them.
  func sharedDatabase(_ path: String) -> SharedDatabase {
    lock.withLock {
      if let database = shared[path], database.connections > 0 { return database }
      let database = SharedDatabase()
      shared[path] = database
      return database
    }
  }

  func temporaryName() -> String {
    lock.withLock {
      temporaries += 1
      return "/sqlite-temporary-\(temporaries)"
    }
  }

  func fillRandom(_ buffer: UnsafeMutableRawBufferPointer) {
    lock.withLock {
      for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: random.next()) }
    }
  }

  /// Milliseconds since noon of 24 November 4714 BC, as SQLite counts time.
  var julianMillis: Int64 { 210_866_760_000_000 + wallMicros() / 1_000 }
}
