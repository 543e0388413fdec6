// A data directory that an older version left, opened again and again, each time with another operation of the disk
// failing, or being the process's last: every one of them, from the start to the stop.
//
// Promises: the next start finds all that the undisturbed migration found, and `verify` finds nothing.

import CLinux
import Foundation
import Glibc
import TwinCore
import TwinStore

package struct MigrationSweep {
  private static let directory = "/data"
  private static let segmentBytes = 64 << 10

  private let files: [String: [UInt8]]
  private let expected: Content
  /// Of the undisturbed process.
  package let operations: Int

  /// - Parameter directory: a data directory on this machine. It is read only.
  package init(directory: String) throws {
    files = try Self.files(directory)
    let disk = try Self.disk(files, seed: 0)
    let before = disk.operations
    expected = try Self.content(disk)
    operations = disk.operations - before
    if expected.twins.isEmpty { throw HistoryFailure("\(directory) holds no twins") }
    try Self.verify(disk)
  }

  package var summary: String { "\(expected.twins.count) twins, \(expected.factCount) facts" }

  private enum Trouble { case fault(CInt, Crash), crash(Crash) }

  private static let troubles: [(name: String, trouble: Trouble)] = [
    ("EIO, then a kill", .fault(EIO, .process)), ("EIO, then a loss of power", .fault(EIO, .power)),
    ("ENOSPC, then a kill", .fault(ENOSPC, .process)), ("ENOSPC, then a loss of power", .fault(ENOSPC, .power)),
    ("a kill", .crash(.process)), ("a loss of power", .crash(.power)),
  ]
  package static var troubleCount: Int { troubles.count }

  /// Opens it with each kind of trouble at this operation, counted from 1.
  package func run(at operation: Int) throws(HistoryFailure) {
    for (name, trouble) in Self.troubles {
      do {
        try run(trouble, at: operation)
      } catch {
        throw HistoryFailure("\(name) at operation \(operation): \(error)")
      }
    }
  }

  private func run(_ trouble: Trouble, at operation: Int) throws {
    let disk = try Self.disk(files, seed: UInt64(operation))
    let end: Crash
    switch trouble {
    case .fault(let errno, let crash):
      disk.fail(Fault(at: disk.operations + operation, errno: errno))
      end = crash
    case .crash(let crash):
      disk.crash(at: disk.operations + operation)
      end = crash
    }
    // It may refuse to start, but what it says is right.
    if let found = try? Self.content(disk), found != expected {
      throw HistoryFailure("the disturbed start says something else: \(found.difference(from: expected))")
    }
    disk.clearFaults()
    disk.crash(end)
    let found = try Self.content(disk)
    if found != expected { throw HistoryFailure("the next start differs: \(found.difference(from: expected))") }
    try Self.verify(disk)
  }

  // MARK: A process

  private static func content(_ disk: SimulatedDisk) throws -> Content {
    try withVFS(disk) { mount in
      var options = Store.Options()
      options.shardCount = 1
      options.memoryBytesMax = Store.Options.memoryBytesMin
      options.journal = JournalOptions(segmentBytes: segmentBytes, recordBytesMax: 16 << 10, bytesMax: 512 << 10)
      let clock = SimulatedClock(random: Random(seed: 1))
      let store = try Store(
        directory: directory, options: options, clock: clock, fileSystem: mount, random: { 1 })
      let content = try Content(of: store)
      try store.close()
      return content
    }
  }

  private static func verify(_ disk: SimulatedDisk) throws {
    let report = try withVFS(disk) { try StoreCheck.run(directory: directory, fileSystem: $0, scratch: "/") }
    if let problem = report.problems.first { throw HistoryFailure("it is unsound: \(problem)") }
  }

  private static func withVFS<R>(_ disk: SimulatedDisk, _ body: (Mount) throws -> R) throws -> R {
    let mount = disk.mount()
    let vfs = SimulatedVFS(mount, wallMicros: { 0 })
    defer { withExtendedLifetime(vfs) {} }
    return try body(mount)
  }

  // MARK: The directory

  private static func disk(_ files: [String: [UInt8]], seed: UInt64) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: seed)
    let mount = disk.mount()
    for folder in [directory, directory + "/journal"] { try mount.makeDirectory(folder, mode: 0o700) }
    for path in files.keys.sorted() { try mount.make(directory + "/" + path, files[path]!) }
    for folder in ["/", directory, directory + "/journal"] { try mount.syncDirectory(folder) }
    return disk
  }

  /// Without the shared memory of dead processes.
  private static func files(_ directory: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: directory) {
      guard !path.hasSuffix("-shm"), let content = FileManager.default.contents(atPath: directory + "/" + path)
      else { continue }
      files[path] = path.hasSuffix(".journal") ? shortened([UInt8](content)) : [UInt8](content)
    }
    // The next segment was ready, and empty.
    files["journal/next"] = nil
    return files
  }

  /// A segment has 64 MiB, most of them zeros, which would be copied for each operation. Its header says how many.
  private static func shortened(_ segment: [UInt8]) -> [UInt8] {
    let end = (segment.lastIndex { $0 != 0 } ?? 0) + 1
    var segment = Array(segment[..<min(segment.count, (end / segmentBytes + 1) * segmentBytes)])
    segment.withUnsafeMutableBytes {
      $0.storeBytes(of: UInt32($0.count).littleEndian, toByteOffset: 44, as: UInt32.self)
      let start = twind_crc32c(0, $0.baseAddress, 12)
      let checksum = twind_crc32c(start, $0.baseAddress! + 16, SegmentHeader.byteCount - 16)
      $0.storeBytes(of: checksum.littleEndian, toByteOffset: 12, as: UInt32.self)
    }
    return segment
  }
}

/// What a store says.
private struct Content: Equatable {
  struct Twin: Equatable {
    let revision: UInt64
    let attributes: [[UInt8]]
    let facts: [StoredFact]
  }

  let head: UInt64
  let keyCount: Int
  let twins: [String: Twin]

  init(of store: Store) throws {
    head = store.head
    keyCount = store.stats.idempotencyKeyCount
    var twins: [String: Twin] = [:]
    for name in try store.names(prefix: [], after: [], limit: 1_000).names {
      guard let image = try store.twin(name, in: .unlimited)?.image else { continue }
      let history = try name.withUnsafeBytes { try store.facts(of: TwinName(unchecked: $0)) }
      twins[String(decoding: name, as: UTF8.self)] = Twin(
        revision: image.revision, attributes: image.entries.map { Array(image.message($0)) },
        facts: history?.facts ?? [])
    }
    self.twins = twins
  }

  var factCount: Int { twins.values.reduce(0) { $0 + $1.facts.count } }

  func difference(from other: Content) -> String {
    if head != other.head { return "it ends at \(head), not at \(other.head)" }
    if keyCount != other.keyCount { return "\(keyCount) keys are remembered, not \(other.keyCount)" }
    let name = Set(twins.keys).union(other.twins.keys).sorted().first { twins[$0] != other.twins[$0] }
    return "the twin \(name ?? "") is not what it was"
  }
}
