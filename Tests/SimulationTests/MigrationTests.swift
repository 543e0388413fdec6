// A start of a store that version 0.1 wrote, ended at one operation of the disk after the other: afterwards the database has
// one format or the other, and the next start makes the same store of it.

import Foundation
import GRDB
import Glibc
import Simulation
import Testing
import TwinStore

@Suite struct MigrationTests {
  /// Files of the older store, by their paths. The journal's segments end in zeros, which are not kept.
  private static let files: [String: (content: [UInt8], byteCount: Int)] = {
    let archive = URL(filePath: #filePath).appending(path: "../../System/stores/0.1.tar.xz").standardized.path
    let folder = NSTemporaryDirectory() + "twind-migration-\(getpid())"
    try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let tar = Process()
    tar.executableURL = URL(filePath: "/usr/bin/env")
    tar.arguments = ["tar", "-xJf", archive, "-C", folder]
    try! tar.run()
    tar.waitUntilExit()
    var files: [String: (content: [UInt8], byteCount: Int)] = [:]
    for path in ["twind.db", "twind.db-wal"] + segments(in: folder) {
      guard let file = try? PosixFileSystem().open(folder + "/" + path, .read), let size = try? file.size() else {
        continue
      }
      var content = [UInt8](repeating: 0, count: (try? file.dataEnd()) ?? size)
      content.withUnsafeMutableBytes { bytes in _ = try! file.read(into: bytes, at: 0) }
      files["/data/" + path] = (content, size)
    }
    return files
  }()

  private static func segments(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/journal")) ?? []
    return names.sorted().map { "journal/" + $0 }
  }

  private func filledDisk(seed: UInt64) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: seed)
    let mount = disk.mount()
    try mount.makeDirectory("/data", mode: 0o700)
    try mount.makeDirectory("/data/journal", mode: 0o700)
    for (path, file) in Self.files.sorted(by: { $0.key < $1.key }) {
      let made = try mount.open(path, .create)
      try made.allocate(file.byteCount)
      try file.content.withUnsafeBytes { bytes in try made.writeAll(bytes, at: 0) }
      try made.sync()
    }
    for directory in ["/data/journal", "/data", "/"] { try mount.openDirectory(directory).sync() }
    disk.crash(.process)
    return disk
  }

  /// One process that starts, and stops when `isStopped`.
  private func start(_ disk: SimulatedDisk, isStopped: Bool) throws {
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 1_750_000_000_000_000 }, seedSQLite: true)
    defer { withExtendedLifetime(vfs) {} }
    var options = Store.Options()
    options.allowsSharedDirectory = true
    let store = try Store(directory: "/data", options: options, fileSystem: mount, random: { 7 })
    if isStopped { try store.close() } else { disk.crash(.process) }
    withExtendedLifetime(store) {}
  }

  private func read<R>(_ disk: SimulatedDisk, _ body: (GRDB.Database) throws -> R) throws -> R {
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 0 })
    defer { withExtendedLifetime(vfs) {} }
    let queue = try DatabaseQueue(path: "file:/data/twind.db?vfs=\(mount.sqliteVFS ?? "")")
    defer { try? queue.close() }
    return try queue.read(body)
  }

  /// Every twin and every fact.
  private func contents(_ disk: SimulatedDisk) throws -> [String] {
    try read(disk) { db in
      try String.fetchAll(db, sql: "SELECT hex(name) || ' ' || hex(body) FROM twins ORDER BY name")
        + String.fetchAll(db, sql: "SELECT id || ' ' || flags || ' ' || hex(record) FROM facts ORDER BY id")
        + String.fetchAll(db, sql: "SELECT hex(scope) || ' ' || hex(result) FROM idempotency ORDER BY id")
    }
  }

  @Test func itHasTheOldFormat() throws {
    #expect(try read(try filledDisk(seed: 0)) { try Int.fetchOne($0, sql: "PRAGMA user_version") } == 2)
  }

  @Test(arguments: [Crash.process, .power]) func aStartThatEndsAnywhere(_ crash: Crash) throws {
    let whole = try filledDisk(seed: 0)
    let before = whole.operations
    try start(whole, isStopped: false)
    let operations = whole.operations - before
    try start(whole, isStopped: true)
    let expected = try contents(whole)
    #expect(expected.count > 300)
    let isFull = ProcessInfo.processInfo.environment["TWIND_FULL"] == "1"
    var versions: [Int: Int] = [:]
    for operation in stride(from: 1, through: operations, by: isFull ? 1 : max(1, operations / 40)) {
      let disk = try filledDisk(seed: UInt64(operation))
      disk.crash(at: disk.operations + operation)
      #expect(throws: StoreError.self, "operation \(operation) of \(operations)") { try start(disk, isStopped: true) }
      disk.crash(crash)
      let version = try read(disk) { try Int.fetchOne($0, sql: "PRAGMA user_version") } ?? 0
      versions[version, default: 0] += 1
      disk.crash(.process)
      try start(disk, isStopped: true)
      #expect(try contents(disk) == expected, "operation \(operation) of \(operations)")
    }
    #expect(Set(versions.keys) == [2, 3])
  }
}
