import Foundation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct NamesTests {
  private let place = Workplace()

  /// All names with this prefix that still exist, page by page.
  private func list(_ store: Store, _ prefix: String, page: Int) throws -> [[UInt8]] {
    var all: [[UInt8]] = []
    var after: [UInt8] = []
    while true {
      let names = try store.names(prefix: Array(prefix.utf8), after: after, limit: page)
      #expect(names.names.count <= page)
      for name in names.names where try store.read(String(decoding: name, as: UTF8.self)) != nil { all.append(name) }
      if names.isLast { return all }
      after = try #require(names.names.last)
    }
  }

  @Test func agreesWithASortedSet() throws {
    let store = try place.open()
    var model: Set<[UInt8]> = []
    let spaces = ["acme", "acme-2", "b"]
    for round in 0..<600 {
      let kind = ["customer", "household"].randomElement()!
      let id = ["\(Int.random(in: 0..<80))", "é\(Int.random(in: 0..<5))", "~"].randomElement()!
      let name = "\(spaces.randomElement()!)/\(kind)/\(id)"
      if model.contains(Array(name.utf8)), Bool.random() {
        try store.delete(name)
        model.remove(Array(name.utf8))
      } else {
        try store.update(name, ["x": .int(Int64(round))])
        model.insert(Array(name.utf8))
      }
      if round % 97 == 0 { _ = try store.checkpoint() }
      guard round % 40 == 0 else { continue }
      for prefix in ["", "acme/", "acme/customer/", "acme/customer/1", "b/household/é", "c/"] {
        let expected = model.filter { $0.starts(with: Array(prefix.utf8)) }
          .sorted { $0.lexicographicallyPrecedes($1) }
        #expect(try list(store, prefix, page: Int.random(in: 1...50)) == expected, "\(prefix)")
      }
    }
    try store.close()
  }

  @Test func manyFreshNames() throws {
    let store = try place.open()
    let numbers = (0..<3_000).map { String(format: "%04d", $0) }
    for number in numbers.shuffled() { try store.update("a/b/\(number)", ["x": .int(1)]) }
    let first = try store.names(prefix: Array("a/b/".utf8), after: Array("a/b/0009".utf8), limit: 10)
    #expect(first.names == numbers[10..<20].map { Array("a/b/\($0)".utf8) } && !first.isLast)
    let last = try store.names(prefix: [], after: Array("a/b/2995".utf8), limit: 4)
    #expect(last.names.count == 4 && last.isLast)
    try store.close()
  }

  /// While a checkpoint writes them, twins that change again are in memory twice: they take no place from others.
  @Test func newNamesAreFoundBesideTwinsThatACheckpointWrites() throws {
    let disk = JournalDisk()
    disk.directories = [place.path]
    try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: true)
    let store = try Store(directory: place.path, options: .small, fileSystem: disk)
    let names = (0..<80).map { String(format: "a/b/%03d", $0) }
    let stored = names.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    for name in stored { try store.update(name, ["x": .int(0)]) }
    _ = try store.checkpoint()
    for name in stored { try store.update(name, ["x": .int(1)]) }
    var lists: [[[UInt8]]] = []
    disk.fault = { call, _ in
      guard call == "sync", lists.isEmpty else { return nil }
      for name in names { _ = try? store.update(name, ["x": .int(2)]) }
      lists = [1, 3, 10, 50].compactMap { try? list(store, "a/b/", page: $0) }
      return nil
    }
    _ = try store.checkpoint()
    #expect(lists == Array(repeating: names.map { Array($0.utf8) }, count: 4))
    disk.fault = { _, _ in nil }
    try store.close()
  }

  /// Twins that are there all the time are found in every list, whatever checkpoints do meanwhile.
  @Test func nothingIsMissedDuringCheckpoints() throws {
    let store = try place.open()
    let names = (0..<200).map { String(format: "a/b/%03d", $0) }
    for name in names { try store.update(name, ["x": .int(0)]) }
    let rounds = Counter()
    let missed = Counter()
    @Sendable func list() {
      for _ in 0..<150 {
        let page = try? store.names(prefix: Array("a/b/".utf8), after: [], limit: 1_000)
        if page?.names != names.map({ Array($0.utf8) }) { missed.add() }
        rounds.add()
      }
    }
    @Sendable func write() {
      var round: Int64 = 1
      while rounds.value < 150 {
        for name in names { _ = try? store.update(name, ["x": .int(round)]) }
        _ = try? store.checkpoint()
        round += 1
      }
    }
    inThreads([list, write])
    #expect(missed.value == 0)
    try store.close()
  }
}
