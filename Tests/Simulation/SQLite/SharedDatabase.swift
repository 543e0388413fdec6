// What the connections of one process to one database share: its locks, and the index of its write-ahead log.
//
// The rules are those of SQLite's file locks (NONE, SHARED, RESERVED, PENDING, EXCLUSIVE) and of the eight locks of the
// log's index. They end with the process, as locks do, and the index with its last connection, as os_unix.c has it.

import GRDBSQLite
import Threads

final class SharedDatabase: @unchecked Sendable {
  private let lock = Lock()
  private var opened = 0
  private var indexUsers = 0
  private var levels: [ObjectIdentifier: CInt] = [:]
  private var regions: [UnsafeMutableRawPointer] = []
  /// Those who hold one of the index's locks: one of them alone, or several shared.
  private var indexLocks = [(sharing: Set<ObjectIdentifier>, alone: ObjectIdentifier?)](
    repeating: ([], nil), count: Int(SQLITE_SHM_NLOCK))

  deinit {
    for region in regions { region.deallocate() }
  }

  var connections: Int { lock.withLock { opened } }

  func connect() { lock.withLock { opened += 1 } }

  func disconnect(_ owner: AnyObject) {
    lock.withLock {
      levels[ObjectIdentifier(owner)] = nil
      opened -= 1
    }
  }

  // MARK: The file's locks

  /// False: someone else is in the way. A wish for EXCLUSIVE that has to wait keeps new readers out.
  func raise(_ owner: AnyObject, to level: CInt) -> Bool {
    lock.withLock {
      let own = ObjectIdentifier(owner)
      let held = levels[own] ?? SQLITE_LOCK_NONE
      if held >= level { return true }
      // The highest of several values does not depend on their order.
      let others = levels.filter { $0.key != own }.values.max() ?? SQLITE_LOCK_NONE
      switch level {
      case SQLITE_LOCK_SHARED:
        if others >= SQLITE_LOCK_PENDING { return false }
      case SQLITE_LOCK_RESERVED:
        if others >= SQLITE_LOCK_RESERVED { return false }
      default:
        if others >= SQLITE_LOCK_RESERVED { return false }
        if others >= SQLITE_LOCK_SHARED {
          levels[own] = SQLITE_LOCK_PENDING
          return false
        }
      }
      levels[own] = level
      return true
    }
  }

  func lower(_ owner: AnyObject, to level: CInt) { lock.withLock { levels[ObjectIdentifier(owner)] = level } }

  var isReserved: Bool { lock.withLock { levels.values.contains { $0 >= SQLITE_LOCK_RESERVED } } }

  // MARK: The log's index

  func joinIndex() { lock.withLock { indexUsers += 1 } }

  /// The index is forgotten with its last user.
  func leaveIndex(_ owner: AnyObject) {
    unlockIndex(owner, 0..<indexLocks.count)
    lock.withLock {
      indexUsers -= 1
      if indexUsers > 0 { return }
      for region in regions { region.deallocate() }
      regions = []
    }
  }

  /// Nil when that part is not there and is not to be made.
  func region(_ index: Int, bytes: Int, extends: Bool) -> UnsafeMutableRawPointer? {
    lock.withLock {
      if index >= regions.count && !extends { return nil }
      while regions.count <= index {
        let region = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
        region.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        regions.append(region)
      }
      return regions[index]
    }
  }

  /// All of these locks or none.
  func lockIndex(_ owner: AnyObject, _ range: Range<Int>, alone: Bool) -> Bool {
    lock.withLock {
      let own = ObjectIdentifier(owner)
      for index in range {
        let (sharing, holder) = indexLocks[index]
        if let holder, holder != own { return false }
        if alone && !sharing.subtracting([own]).isEmpty { return false }
      }
      for index in range {
        if alone { indexLocks[index].alone = own } else { indexLocks[index].sharing.insert(own) }
      }
      return true
    }
  }

  func unlockIndex(_ owner: AnyObject, _ range: Range<Int>) {
    lock.withLock {
      let own = ObjectIdentifier(owner)
      for index in range {
        indexLocks[index].sharing.remove(own)
        if indexLocks[index].alone == own { indexLocks[index].alone = nil }
      }
    }
  }
}
