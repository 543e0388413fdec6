// The calls of a sqlite3_file, each handed to the DatabaseFile that stands behind it.

import GRDBSQLite

/// What SQLite allocates for an open file: its own part and our object.
struct VFSFile {
  private var base: sqlite3_file
  private var object: Unmanaged<DatabaseFile>

  static func install(_ file: DatabaseFile, in memory: UnsafeMutablePointer<sqlite3_file>) {
    UnsafeMutableRawPointer(memory).initializeMemory(
      as: VFSFile.self, to: VFSFile(base: sqlite3_file(pMethods: methods), object: .passRetained(file)))
  }

  static func of(_ file: UnsafeMutablePointer<sqlite3_file>?) -> DatabaseFile? {
    file.map { pointer(to: $0).pointee.object.takeUnretainedValue() }
  }

  static func close(_ file: UnsafeMutablePointer<sqlite3_file>) {
    let object = pointer(to: file).pointee.object.takeRetainedValue()
    file.pointee.pMethods = nil
    object.close()
  }

  private static func pointer(to file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<VFSFile> {
    UnsafeMutableRawPointer(file).assumingMemoryBound(to: VFSFile.self)
  }
}

/// One table for all files: SQLite asks for a pointer that stays.
private nonisolated(unsafe) let methods: UnsafePointer<sqlite3_io_methods> = {
  let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
  methods.initialize(to: sqlite3_io_methods())
  methods.pointee.iVersion = 2
  setContentCalls(of: &methods.pointee)
  setLockCalls(of: &methods.pointee)
  setIndexCalls(of: &methods.pointee)
  return UnsafePointer(methods)
}()

private func setContentCalls(of methods: inout sqlite3_io_methods) {
  methods.xClose = { file in
    if let file { VFSFile.close(file) }
    return SQLITE_OK
  }
  methods.xRead = { file, bytes, count, offset in
    let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
    return VFSFile.of(file)?.read(buffer, at: Int(offset)) ?? IOError.read
  }
  methods.xWrite = { file, bytes, count, offset in
    let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(count))
    return VFSFile.of(file)?.write(buffer, at: Int(offset)) ?? IOError.write
  }
  methods.xTruncate = { file, size in VFSFile.of(file)?.truncate(Int(size)) ?? IOError.truncate }
  methods.xSync = { file, _ in VFSFile.of(file)?.sync() ?? IOError.sync }
  methods.xFileSize = { file, size in VFSFile.of(file)?.size(size) ?? IOError.status }
  methods.xFileControl = { file, question, argument in
    guard let file = VFSFile.of(file), question == SQLITE_FCNTL_PERSIST_WAL, let argument else {
      return SQLITE_NOTFOUND
    }
    let value = argument.assumingMemoryBound(to: CInt.self)
    if value.pointee >= 0 { file.keepsLog = value.pointee != 0 }
    value.pointee = file.keepsLog ? 1 : 0
    return SQLITE_OK
  }
  // As os_unix.c has them: a write changes no byte beside it.
  methods.xSectorSize = { _ in 4_096 }
  methods.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
}

private func setLockCalls(of methods: inout sqlite3_io_methods) {
  methods.xLock = { file, level in
    guard let file = VFSFile.of(file) else { return SQLITE_BUSY }
    // A lock that keeps others out wants a file that may be written: os_unix.c gets EBADF.
    if level > SQLITE_LOCK_SHARED && !file.isWritable { return IOError.lock }
    return file.database.raise(file, to: level) ? SQLITE_OK : SQLITE_BUSY
  }
  methods.xUnlock = { file, level in
    if let file = VFSFile.of(file) { file.database.lower(file, to: level) }
    return SQLITE_OK
  }
  methods.xCheckReservedLock = { file, answer in
    answer?.pointee = VFSFile.of(file)?.database.isReserved == true ? 1 : 0
    return SQLITE_OK
  }
}

private func setIndexCalls(of methods: inout sqlite3_io_methods) {
  methods.xShmMap = { file, index, bytes, extends, region in
    guard let file = VFSFile.of(file) else { return IOError.sharedMemory }
    region?.pointee = file.region(Int(index), bytes: Int(bytes), extends: extends != 0)
    return SQLITE_OK
  }
  methods.xShmLock = { file, first, count, flags in
    guard let file = VFSFile.of(file) else { return SQLITE_BUSY }
    let range = Int(first)..<Int(first + count)
    if flags & SQLITE_SHM_UNLOCK != 0 {
      file.database.unlockIndex(file, range)
      return SQLITE_OK
    }
    return file.database.lockIndex(file, range, alone: flags & SQLITE_SHM_EXCLUSIVE != 0) ? SQLITE_OK : SQLITE_BUSY
  }
  // One thread at a time runs a history, and a lock orders the others.
  methods.xShmBarrier = { _ in }
  methods.xShmUnmap = { file, _ in
    VFSFile.of(file)?.leaveIndex()
    return SQLITE_OK
  }
}
