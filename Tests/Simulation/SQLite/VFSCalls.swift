// The calls of a sqlite3_vfs: names of files, chance and time.

import GRDBSQLite
import Glibc
import TwinStore

func setCallbacks(of vfs: inout sqlite3_vfs) {
  vfs.xOpen = openFile
  vfs.xDelete = deleteFile
  vfs.xAccess = accessFile
  vfs.xFullPathname = fullPathname
  vfs.xRandomness = { vfs, count, bytes in
    guard let vfs = SimulatedVFS.of(vfs), let bytes else { return 0 }
    vfs.fillRandom(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
    return count
  }
  // Nobody else runs who could be waited for.
  vfs.xSleep = { _, micros in micros }
  vfs.xCurrentTime = { vfs, days in
    days?.pointee = Double(SimulatedVFS.of(vfs)?.julianMillis ?? 0) / 86_400_000
    return SQLITE_OK
  }
  vfs.xCurrentTimeInt64 = { vfs, millis in
    millis?.pointee = SimulatedVFS.of(vfs)?.julianMillis ?? 0
    return SQLITE_OK
  }
  vfs.xGetLastError = { _, _, _ in 0 }
}

/// SQLITE_IOERR with its detail: the C macros are expressions that Swift does not import.
enum IOError {
  static let read = SQLITE_IOERR | (1 << 8)
  static let shortRead = SQLITE_IOERR | (2 << 8)
  static let write = SQLITE_IOERR | (3 << 8)
  static let sync = SQLITE_IOERR | (4 << 8)
  static let truncate = SQLITE_IOERR | (6 << 8)
  static let status = SQLITE_IOERR | (7 << 8)
  static let delete = SQLITE_IOERR | (10 << 8)
  static let access = SQLITE_IOERR | (13 << 8)
  static let lock = SQLITE_IOERR | (15 << 8)
  static let sharedMemory = SQLITE_IOERR | (21 << 8)
  static let deleteMissing = SQLITE_IOERR | (23 << 8)
}

private func openFile(
  _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: sqlite3_filename?, _ file: UnsafeMutablePointer<sqlite3_file>?,
  _ flags: CInt, _ outFlags: UnsafeMutablePointer<CInt>?
) -> CInt {
  guard let vfs = SimulatedVFS.of(vfs), let file else { return SQLITE_CANTOPEN }
  // Without methods SQLite does not close what could not be opened.
  file.pointee.pMethods = nil
  let path = name.map { String(cString: $0) }
  do throws(Errno) {
    let opened = try VFSOpening(vfs: vfs, path: path, flags: flags).open()
    outFlags?.pointee = flags
    VFSFile.install(opened, in: file)
    return SQLITE_OK
  } catch {
    return SQLITE_CANTOPEN
  }
}

/// What SQLite's flags of an open ask for.
private struct VFSOpening {
  let vfs: SimulatedVFS
  let path: String?
  let flags: CInt

  func open() throws(Errno) -> DatabaseFile {
    let name = path ?? vfs.temporaryName()
    let file = try self.file(name)
    if path == nil || flags & SQLITE_OPEN_DELETEONCLOSE != 0 { try vfs.fileSystem.unlink(name) }
    let isLog = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL) != 0
    let syncsDirectory = flags & SQLITE_OPEN_CREATE != 0 && isLog
    return DatabaseFile(
      vfs, file, path: name, isWritable: flags & SQLITE_OPEN_READWRITE != 0,
      directoryToSync: syncsDirectory ? parent(of: name) : nil)
  }

  private func file(_ name: String) throws(Errno) -> any File {
    if flags & SQLITE_OPEN_READWRITE == 0 { return try vfs.fileSystem.open(name, .read) }
    do throws(Errno) {
      return try vfs.fileSystem.open(name, .readWrite)
    } catch {
      if error.code != ENOENT || flags & SQLITE_OPEN_CREATE == 0 { throw error }
      return try vfs.fileSystem.open(name, .create)
    }
  }
}

private func parent(of path: String) -> String {
  path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }
}

private func deleteFile(
  _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ syncsDirectory: CInt
) -> CInt {
  guard let vfs = SimulatedVFS.of(vfs), let name else { return IOError.delete }
  let path = String(cString: name)
  do throws(Errno) {
    try vfs.fileSystem.unlink(path)
    if syncsDirectory & 1 != 0 { try vfs.fileSystem.syncDirectory(parent(of: path)) }
    return SQLITE_OK
  } catch {
    return error.code == ENOENT ? IOError.deleteMissing : IOError.delete
  }
}

/// An empty file counts as missing, as in os_unix.c: an empty journal is no journal.
private func accessFile(
  _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ question: CInt,
  _ answer: UnsafeMutablePointer<CInt>?
) -> CInt {
  guard let vfs = SimulatedVFS.of(vfs), let name else { return IOError.access }
  let path = String(cString: name)
  do throws(Errno) {
    let kind = try vfs.fileSystem.kind(path)
    let isThere =
      kind == .file && question == SQLITE_ACCESS_EXISTS
      ? try vfs.fileSystem.open(path, .read).size() > 0 : kind != nil
    answer?.pointee = isThere ? 1 : 0
    return SQLITE_OK
  } catch {
    return IOError.access
  }
}

/// Paths on the simulated disk are absolute.
private func fullPathname(
  _ vfs: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ capacity: CInt,
  _ full: UnsafeMutablePointer<CChar>?
) -> CInt {
  guard let name, let full, strlen(name) < Int(capacity) else { return SQLITE_CANTOPEN }
  strcpy(full, name)
  return SQLITE_OK
}
