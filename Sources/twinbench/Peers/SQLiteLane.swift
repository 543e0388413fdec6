// SQLite in this process: a call is one SELECT by key, done where it begins.

import CBench

final class SQLiteLane: Lane {
  private let database: OpaquePointer
  private let room: UnsafeMutableRawBufferPointer
  private var done: UInt32?

  /// A new database at the path, in which each key has a value of so many bytes.
  init(_ path: String, keyCount: Int, valueBytes: Int) throws {
    room = .allocate(byteCount: valueBytes, alignment: 8)
    let opened: OpaquePointer? = try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { problem in
      guard let database = bench_sqlite_open(path, problem.baseAddress) else {
        throw BenchFailure("SQLite cannot open \(path): \(String(cString: problem.baseAddress!))")
      }
      return database
    }
    guard let opened else { throw BenchFailure("SQLite cannot open \(path)") }
    database = opened
    room.initializeMemory(as: UInt8.self, repeating: 0x76)
    if bench_sqlite_fill(database, UInt32(keyCount), room.baseAddress, valueBytes) != 0 {
      throw BenchFailure("SQLite cannot write \(path): is the disk full?")
    }
  }

  deinit {
    bench_sqlite_close(database)
    room.deallocate()
  }

  /// Opens a database that a lane has made, and copies every value out of it.
  static func scan(_ path: String, rows: Int) throws {
    let found = bench_sqlite_scan(path)
    if found != rows { throw BenchFailure("SQLite read \(found) of \(rows) rows of \(path)") }
  }

  static var version: String { String(cString: bench_sqlite_version()) }

  func begin(_ call: Call, tag: UInt32) throws {
    if bench_sqlite_read(database, UInt32(call.key), room.baseAddress, room.count) < 0 {
      throw BenchFailure("SQLite has no key \(call.key)")
    }
    done = tag
  }

  func flush() {}

  func receive(until deadline: UInt64, into ended: UnsafeMutableBufferPointer<UInt32>) -> Int {
    guard let tag = done else { return 0 }
    ended[0] = tag
    done = nil
    return 1
  }
}
