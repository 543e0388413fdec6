// One open file of a database: the database itself, its journal, its log or a temporary file.

import GRDBSQLite
import Glibc
import TwinStore

final class DatabaseFile {
  private let vfs: SimulatedVFS
  private let file: any File
  private let path: String
  let isWritable: Bool
  /// Set until the first sync has made the file's name durable.
  private var directoryToSync: String?
  private var shared: SharedDatabase?
  private var usesIndex = false
  var keepsLog = false

  init(_ vfs: SimulatedVFS, _ file: any File, path: String, isWritable: Bool, directoryToSync: String?) {
    self.vfs = vfs
    self.file = file
    self.path = path
    self.isWritable = isWritable
    self.directoryToSync = directoryToSync
  }

  func close() {
    leaveIndex()
    shared?.disconnect(self)
    shared = nil
  }

  func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> CInt {
    do throws(Errno) {
      let count = try file.readAll(into: buffer, at: offset)
      if count == buffer.count { return SQLITE_OK }
      UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
      return IOError.shortRead
    } catch {
      return IOError.read
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> CInt {
    code(IOError.write, full: SQLITE_FULL) { () throws(Errno) in try file.writeAll(bytes, at: offset) }
  }

  func truncate(_ length: Int) -> CInt {
    code(IOError.truncate) { () throws(Errno) in
      try uninterrupted { () throws(Errno) in try file.truncate(length) }
    }
  }

  func sync() -> CInt {
    let result = code(IOError.sync) { () throws(Errno) in try file.sync() }
    if result == SQLITE_OK, let directory = directoryToSync {
      // os_unix.c does not look at the result either.
      try? vfs.fileSystem.syncDirectory(directory)
      directoryToSync = nil
    }
    return result
  }

  func size(_ size: UnsafeMutablePointer<sqlite3_int64>?) -> CInt {
    code(IOError.status) { () throws(Errno) in size?.pointee = Int64(try file.size()) }
  }

  /// What the connections to this database share; this one joins them with its first question.
  var database: SharedDatabase {
    if let shared { return shared }
    let database = vfs.sharedDatabase(path)
    database.connect()
    shared = database
    return database
  }

  func region(_ index: Int, bytes: Int, extends: Bool) -> UnsafeMutableRawPointer? {
    if !usesIndex { database.joinIndex() }
    usesIndex = true
    return database.region(index, bytes: bytes, extends: extends)
  }

  func leaveIndex() {
    if usesIndex { database.leaveIndex(self) }
    usesIndex = false
  }

  /// - Parameter full: what a full disk is called; os_unix.c has another name for it in a write only.
  private func code(_ failure: CInt, full: CInt? = nil, _ call: () throws(Errno) -> Void) -> CInt {
    do throws(Errno) {
      try call()
      return SQLITE_OK
    } catch {
      return error.code == ENOSPC ? full ?? failure : failure
    }
  }
}
