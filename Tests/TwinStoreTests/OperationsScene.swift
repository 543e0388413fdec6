// A data directory with some of everything in it, as a crash leaves it, and ways to look at it and to break it.

import CLinux
import Foundation
import GRDB
import Testing
import TwinCore
import TwinFixtures
import TwinStore

extension Store {
  @discardableResult
  func change(_ name: String, _ changes: (Requests) -> [ChangePointer]) throws(TwinError) -> CommitResult {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let command = try Command(
      update: requests.update(name, changes(requests)), agent: Text(requests.text("tester")))
    return try commit(command, .none).result
  }
}

/// What one test breaks and checks.
final class OperationsScene {
  let place: Workplace

  init(_ place: Workplace) { self.place = place }

  /// Commits in the database, in the database and the journal, and in the journal alone; SQLite's log is not empty.
  static func crashed() throws -> OperationsScene {
    let (place, clock) = (Workplace(), ManualClock())
    let store = try place.open(clock: clock)
    try write(store, clock, round: 1)
    _ = try store.checkpoint()
    try write(store, clock, round: 2)
    try store.sync()
    // States that what is before it was durable.
    try store.update("acme/customer/1", ["c": .int(1)])
    return OperationsScene(try place.copy())
  }

  /// The same after a clean stop.
  static func closed() throws -> OperationsScene {
    let (place, clock) = (Workplace(), ManualClock())
    let store = try place.open(clock: clock)
    for round in 1...2 {
      try write(store, clock, round: round)
      _ = try store.checkpoint()
    }
    try store.close()
    return OperationsScene(place)
  }

  static func write(_ store: Store, _ clock: ManualClock, round: Int) throws {
    let day: Int64 = 86_400_000_000
    for number in 1...20 {
      clock.advance(micros: 1_000_000)
      let now = clock.wallMicros()
      let name = "acme/customer/\(number)"
      try store.update(name, ["a": .int(Int64(round)), "b": .string("b\(number)")], key: "\(round)-\(number)")
      try store.change(name) { [$0.set("past", .int(1), from: now - 9 * day, to: now - 8 * day)] }
      try store.change(name) {
        [$0.set("later", .int(2), from: now + day), $0.set("a", .int(7), from: now, to: now + 5)]
      }
      if number % 3 == 0 { try store.change(name) { [$0.remove("b")] } }
      if number % 5 == 0 { try store.delete(name) }
    }
    try store.update(all: (1...9).map { "beta/device/\($0)" }, ["on": .bool(round == 1)])
  }

  var database: String { place.path + "/twind.db" }

  func check() throws -> CheckReport {
    try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory())
  }

  /// The parts that have problems.
  func problems() throws -> Set<CheckReport.Part> { Set(try check().problems.map(\.part)) }

  /// Changes the database behind the store's back.
  func sql(_ statements: String) throws {
    let queue = try DatabaseQueue(path: database)
    try queue.writeWithoutTransaction { try $0.execute(sql: statements) }
    try queue.close()
  }

  func number(_ sql: String) throws -> Int64 {
    let queue = try DatabaseQueue(path: database)
    defer { try? queue.close() }
    return try queue.read { try Int64.fetchOne($0, sql: sql) } ?? 0
  }

  /// Every file with its content.
  func files() throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: place.path) {
      found[name] = FileManager.default.contents(atPath: place.path + "/" + name)
    }
    return found
  }

  var segments: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path + "/journal")) ?? []
    return names.filter { $0.hasSuffix(".journal") }.sorted().map { place.path + "/journal/" + $0 }
  }

  /// Changes the checkpoint row, and gives it the checksum that belongs to it.
  func setCheckpoint(_ change: (inout CheckpointRow) throws -> Void) throws {
    let queue = try DatabaseQueue(path: database)
    try queue.write { db in
      var row = try #require(try CheckpointRow.read(db))
      try change(&row)
      try row.write(db)
    }
    try queue.close()
  }
}

/// Flips one bit of a file.
func flip(_ path: String, at offset: Int) throws {
  let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
  try file.seek(toOffset: UInt64(offset))
  let byte = try file.read(upToCount: 1)![0]
  try file.seek(toOffset: UInt64(offset))
  try file.write(contentsOf: Data([byte ^ 0x10]))
  try file.close()
}

extension OperationsScene {
  /// Changes what a twin's row says of its facts, with the checksums that belong to it.
  func setTwin(_ id: Int64, factDigestXor: Int64, factCountDelta: Int64) throws {
    let queue = try DatabaseQueue(path: database)
    try queue.write { db in
      let sql = "SELECT \(StoreTable.twins.columnList) FROM twins WHERE id = \(id)"
      let twin = try TwinRow(try #require(try Row.fetchOne(db, sql: sql)))
      var next = twin
      next.factDigest ^= UInt32(factDigestXor)
      next.factCount += factCountDelta
      var row = try #require(try CheckpointRow.read(db))
      try twin.replace(next, db, &row[.twins])
      try row.write(db)
    }
    try queue.close()
  }
}
