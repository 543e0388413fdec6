// One disk, under the journal and SQLite alike, that a test can crash, fill and make fail.
//
// Promises: everything that it does by chance comes from its seed; a process uses it through a mount, and from the
// instant of a crash the calls of that mount fail and change nothing. Thread-safe, though a history that is to be
// repeated calls it from one thread at a time.

import Glibc
import Threads
import TwinStore

package final class SimulatedDisk: @unchecked Sendable {
  private let lock = Lock()
  private var random: Random
  private let root = StoredDirectory()
  private var current: Mount?
  private var mounts = 0
  private var isDown = false
  private var locked: Set<String> = []
  private var counted = 0
  private var entries: OperationLog
  private var faultsToCome: [Fault] = []
  private var crashOperation: Int?
  private var space: Int?
  private var interruptions = 0
  private var pretended: Set<Operation> = []
  private var failed = 0
  private var interlude: (@Sendable () -> Void)?

  /// - Parameter logLinesMax: how many of the newest operations are kept to be shown; nil = all.
  package init(seed: UInt64, logLinesMax: Int? = 0) {
    random = Random(seed: seed)
    entries = OperationLog(linesMax: logLinesMax)
  }

  // MARK: What a test sets

  /// At this operation the process ends, with that operation done, begun or not.
  package func crash(at operation: Int?) { lock.withLock { crashOperation = operation } }

  package func fail(_ fault: Fault) { lock.withLock { faultsToCome.append(fault) } }

  package func clearFaults() { lock.withLock { faultsToCome = [] } }

  /// Bytes that files can still grow by; nil = without end.
  package func setSpace(_ bytes: Int?) { lock.withLock { space = bytes } }

  /// In so many of 1,000 calls a read or write is short, and in as many it is interrupted.
  package func setInterruptions(perMille: Int) { lock.withLock { interruptions = perMille } }

  /// Operations that report success and do nothing: a fault that a test must find.
  package func pretend(_ operations: Set<Operation>) { lock.withLock { pretended = operations } }

  /// What others do while somebody waits for the disk: called before each operation, by the same thread, outside of the
  /// disk's lock.
  package func setInterlude(_ body: (@Sendable () -> Void)?) { lock.withLock { interlude = body } }

  package func note(_ line: String) { lock.withLock { entries.note(line) } }

  // MARK: What a test sees

  package var log: OperationLog { lock.withLock { entries } }

  /// Operations so far.
  package var operations: Int { lock.withLock { counted } }

  /// Operations that failed by plan, or because the disk was full.
  package var failures: Int { lock.withLock { failed } }

  /// Files of which a sync failed in the life of this process.
  package var failedSyncs: [String] { lock.withLock { root.files(under: "").filter(\.file.syncFailed).map(\.path) } }

  /// True from a crash until the next mount.
  package var isCrashed: Bool { lock.withLock { isDown } }

  /// Files that this process synced again after a sync of them had failed.
  package var resynced: [String] {
    lock.withLock { root.files(under: "").filter { $0.file.syncsAfterFailure > 0 }.map(\.path) }
  }

  /// Of every file.
  var paths: [String] { lock.withLock { root.files(under: "").map(\.path) } }

  /// The whole content of a file as a process would read it; nil = there is none.
  package func content(_ path: String) -> [UInt8]? {
    lock.withLock { root.files(under: "").first { $0.path == path }.map { Array($0.file.content.bytes) } }
  }

  /// The part of a file's content that no crash takes; nil = there is none.
  func durableContent(_ path: String) -> [UInt8]? {
    lock.withLock { root.files(under: "").first { $0.path == path }.map { Array($0.file.durable.bytes) } }
  }

  // MARK: Processes

  /// What a new process sees of the disk; the mount before it ends as by a kill.
  package func mount() -> Mount {
    lock.withLock {
      mounts += 1
      isDown = false
      locked = []
      crashOperation = nil
      for (_, file) in root.files(under: "") { file.forgetSyncs() }
      let mount = Mount(self, number: mounts, random: random.fork())
      current = mount
      return mount
    }
  }

  /// Ends the process if it has not ended, and with `.power` loses some of what was not synced.
  package func crash(_ crash: Crash) {
    lock.withLock {
      isDown = true
      current = nil
      if crash == .power { root.losePower(&random) }
      entries.note("crash: \(crash)")
    }
  }

  // MARK: Calls of a mount

  /// One counted operation: done, or failed by plan, or the last before a crash.
  /// - Parameter broken: what a failing operation leaves behind.
  func perform<R>(
    _ operation: Operation, _ target: String, of mount: Mount, broken: (borrowing Disk, BrokenBy) -> Void = { _, _ in },
    _ body: (borrowing Disk) throws(Errno) -> R
  ) throws(Errno) -> R {
    if let others = lock.withLock({ interlude }) { others() }
    return try lock.withLock { () throws(Errno) in
      guard mount === current && !isDown else { throw Errno(EIO) }
      counted += 1
      let title = "\(counted) \(operation.rawValue) \(target)"
      let disk = Disk(self)
      if counted == crashOperation {
        isDown = true
        entries.note("\(title): the process ends")
        if random.chance(500) { _ = try? body(disk) } else { broken(disk, .crash) }
        throw Errno(EIO)
      }
      if let index = faultsToCome.firstIndex(where: { $0.hits(counted, operation) }) {
        let fault = faultsToCome[index]
        if !fault.lasts { faultsToCome.remove(at: index) }
        failed += 1
        broken(disk, .fault)
        entries.note("\(title): fails with \(fault.errno)")
        throw Errno(fault.errno)
      }
      if operation.isInterruptible && random.chance(interruptions) {
        entries.note("\(title): interrupted")
        throw Errno(EINTR)
      }
      do throws(Errno) {
        let result = try body(disk)
        entries.note(title)
        return result
      } catch {
        if error.code == ENOSPC { failed += 1 }
        entries.note("\(title): error \(error.code)")
        throw error
      }
    }
  }

  /// A look that is not counted and never fails by plan.
  func look<R>(of mount: Mount, _ body: (borrowing Disk) throws(Errno) -> R) throws(Errno) -> R {
    try lock.withLock { () throws(Errno) in
      guard mount === current && !isDown else { throw Errno(EIO) }
      return try body(Disk(self))
    }
  }

  enum BrokenBy { case fault, crash }

  /// The disk as seen by one call, under its lock.
  struct Disk: ~Copyable {
    private unowned let disk: SimulatedDisk

    fileprivate init(_ disk: SimulatedDisk) { self.disk = disk }

    var root: StoredDirectory { disk.root }

    func pretends(_ operation: Operation) -> Bool { disk.pretended.contains(operation) }

    func random<R>(_ body: (inout Random) -> R) -> R { body(&disk.random) }

    /// A call that does less than it was asked to, now and then.
    func shortened(_ count: Int) -> Int {
      count > 1 && disk.random.chance(disk.interruptions) ? disk.random.within(1...count - 1) : count
    }

    func mix(_ bytes: UnsafeRawBufferPointer) { disk.entries.mix(bytes) }

    /// Takes up to so many bytes of the free space; returns what was there.
    func grow(by bytes: Int) -> Int {
      guard let space = disk.space else { return bytes }
      let granted = min(space, bytes)
      disk.space = space - granted
      return granted
    }

    func giveBack(_ bytes: Int) { disk.space = disk.space.map { $0 + bytes } }

    /// False when it is locked already.
    func lock(_ path: String) -> Bool { disk.locked.insert(path).inserted }

    func unlock(_ path: String) { disk.locked.remove(path) }
  }
}
