// Histories read page by page: nothing lost or doubled, whatever checkpoints and retention do between two pages.

import Foundation
import GRDB
import Testing
import TwinCore
import TwinFixtures
import TwinStore

private let name = "acme/customer/1"

@Suite struct HistoryCursorTests {
  private let place = Workplace()
  private let clock = ManualClock()

  private func withName<R>(_ body: (TwinName) throws -> R) throws -> R {
    try Array(name.utf8).withUnsafeBytes { try body(TwinName($0)) }
  }

  private func open(_ rule: Retention.Rule = .all) throws -> Store {
    var options = Store.Options.small
    options.retention = Retention(others: rule)
    return try place.open(clock: clock, options: options)
  }

  /// So many commits of one fact, each a second after the one before; beside them as many about another twin.
  private func write(_ count: Int, _ store: Store) throws {
    for number in 0..<count {
      clock.advance(micros: 1_000_000)
      try store.update(name, ["n": .int(Int64(number))])
      try store.update("acme/customer/2", ["n": .int(Int64(number))])
    }
  }

  private func numbers(_ history: TwinHistory?) -> [UInt64] { history?.facts.map(\.sequence) ?? [] }

  @Test(arguments: [1, 2, 9, 10, 11, 19, 20, 21, 1_000])
  func pagesOfAnySizeMakeTheWhole(_ size: Int) throws {
    let store = try open()
    try write(10, store)
    _ = try store.checkpoint()
    try write(10, store)
    for changes in [1, 3, 10, 1_000] {
      var pages = 0
      let found = try withName {
        try store.facts(of: $0, limits: HistoryLimits(facts: size, changes: changes)) { pages += 1 }
      }
      #expect(numbers(found) == (0..<20).map { 2 * $0 + 1 } && found?.sequence == 40 && found?.from == .min)
      #expect(pages >= 19 / size)
    }
  }

  @Test func aPageEndsWhereItHasEnoughBytes() throws {
    let store = try open()
    for number in 0..<6 { try store.update(name, ["n": .string(String(repeating: "\(number)", count: 1_000))]) }
    for isWritten in [false, true] {
      if isWritten { _ = try store.checkpoint() }
      var limits = HistoryLimits()
      limits.bytesMax = 1_500
      var cursor = try withName { HistoryCursor($0) }
      var counts: [Int] = []
      reading: while true {
        switch try store.read(&cursor, limits: limits) {
        case .part(let facts): counts.append(facts.count)
        case .last(let facts, _):
          counts.append(facts.count)
          break reading
        default: Issue.record("there is a history")
        }
      }
      #expect(counts.allSatisfy { $0 <= 2 } && counts.reduce(0, +) == 6)
    }
  }

  /// One commit's facts may lie on two pages.
  @Test func aCommitIsCutWhereAPageEnds() throws {
    let store = try open()
    for round in 0..<3 { try store.update(name, ["a": .int(Int64(round)), "b": .int(1), "c": .int(2 + Int64(round))]) }
    for _ in 0..<2 {
      let whole = try withName { try store.facts(of: $0) }
      #expect(whole?.facts.count == 7)
      for size in 1...8 {
        #expect(try withName { try store.facts(of: $0, limits: HistoryLimits(facts: size)) }?.facts == whole?.facts)
      }
      _ = try store.checkpoint()
    }
  }

  /// What a watch that resumes reads at a time is bounded by bytes too.
  @Test func commitsAreReadInPartsOfSomeMegabytes() throws {
    let store = try open()
    for number in 0..<120 { try store.update(name, ["n": .string(String(repeating: "\(number % 10)", count: 60_000))]) }
    _ = try store.checkpoint()
    var (sequences, parts, after): ([UInt64], Int, UInt64) = ([], 0, 0)
    while after < 120 {
      let commits = try store.storedCommits(after: after, atLeast: 1_000)
      #expect(commits.count <= 71)
      sequences += commits.map(\.sequence)
      after = commits.last?.sequence ?? .max
      parts += 1
    }
    #expect(sequences == Array(1...120) && parts == 2)
  }

  @Test func whoNeverWasIsAbsent() throws {
    let store = try open()
    #expect(try withName { try store.facts(of: $0) } == nil)
    try write(1, store)
    #expect(try Array("acme/customer/3".utf8).withUnsafeBytes { try store.facts(of: TwinName($0)) } == nil)
  }

  @Test(arguments: [1, 2, 3, 7]) func checkpointsAndCommitsBetweenPages(_ size: Int) throws {
    let store = try open()
    try write(12, store)
    let limits = HistoryLimits(facts: size, changes: 4)
    var steps = 0
    let found = try withName { twin in
      try store.facts(of: twin, limits: limits) { () throws(StoreError) in
        steps += 1
        if steps % 2 == 0 { _ = try store.checkpoint() }
        if steps % 3 == 0 && steps < 60 { try? write(1, store) }
      }
    }
    let expected = try withName { try store.facts(of: $0) }
    let sequence = try #require(found?.sequence)
    #expect(found?.facts == expected?.facts.filter { $0.sequence <= sequence })
    #expect(numbers(found) == numbers(found).sorted() && Set(numbers(found)).count == numbers(found).count)
  }

  /// A scan of what other twins changed comes to its end too.
  @Test func amongManyChangesOfOthers() throws {
    let store = try open()
    for number in 0..<6 {
      try store.update(name, ["n": .int(Int64(number))])
      for other in 0..<30 { try store.update("acme/customer/o\(other % 3)", ["n": .int(Int64(other + number))]) }
      try store.update(all: (0..<8).map { "acme/customer/p\($0)" } + [name], ["b": .int(Int64(number))])
    }
    let whole = try withName { try store.facts(of: $0) }
    #expect(whole?.facts.count == 12)
    for changes in 1...7 {
      let found = try withName { try store.facts(of: $0, limits: HistoryLimits(facts: 100, changes: changes)) }
      #expect(found?.facts == whole?.facts)
    }
  }

  @Test func retentionThatDropsWhatWasGivenDoesNoHarm() throws {
    let store = try open(.newest(5))
    try write(40, store)
    var cursor = try withName { HistoryCursor($0) }
    let limits = HistoryLimits(facts: 38)
    guard case .part(let first) = try store.read(&cursor, limits: limits) else {
      Issue.record("there are more")
      return
    }
    _ = try store.checkpoint()
    #expect(try withName { try store.facts(of: $0) }?.facts.count ?? 40 < 10)
    var facts = first
    for _ in 0..<10 {
      let page = try store.read(&cursor, limits: limits)
      if case .part(let some) = page { facts += some }
      guard case .last(let some, let sequence) = page else { continue }
      #expect((facts + some).map(\.sequence) == (0..<40).map { 2 * $0 + 1 } && sequence == 80)
      return
    }
    Issue.record("it has no end")
  }

  /// What was given and what is left would not make the twin.
  @Test func retentionThatDropsWhatIsToComeBeginsAnew() throws {
    var store = try open()
    try write(40, store)
    try store.close()
    store = try open(.newest(5))
    var cursor = try withName { HistoryCursor($0) }
    let limits = HistoryLimits(facts: 10)
    guard case .part = try store.read(&cursor, limits: limits) else {
      Issue.record("there are more")
      return
    }
    _ = try store.checkpoint()
    #expect(try store.read(&cursor, limits: limits) == .trimmed)
    guard case .last(let facts, 80) = try store.read(&cursor, limits: limits) else {
      Issue.record("few are left")
      return
    }
    #expect(facts.map(\.sequence) == Array(stride(from: 69, through: 79, by: 2)) && cursor.from > .min)
  }

  @Test(arguments: [
    "UPDATE facts SET twin = 77 WHERE id = (SELECT max(id) FROM facts WHERE twin = 1)",
    "DELETE FROM facts WHERE id = (SELECT min(id) FROM facts WHERE twin = 1)",
    "DELETE FROM facts WHERE twin = 1",
  ]) func aFactThatIsMissingIsFoundAtTheEnd(_ damage: String) throws {
    let store = try open()
    try write(10, store)
    _ = try store.checkpoint()
    try store.database.writer.write { try $0.execute(sql: damage) }
    for size in [3, 100] {
      let error = #expect(throws: StoreError.self) {
        try withName { try store.facts(of: $0, limits: HistoryLimits(facts: size)) }
      }
      guard case .damagedTwin(_, 1, _, let reason)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason.contains("10 were written") || reason.contains("checksum"))
      #expect(throws: StoreError.self) {
        try withName { try store.asOf($0, validAt: clock.wallMicros(), knownAt: clock.wallMicros()) }
      }
    }
    // One twin's history is no reason to write nothing any more.
    #expect(store.failure == nil && store.troubles.count == 1)
    try write(1, store)
  }

  /// Random commits, checkpoints and trims; pages of any size make the same as one, and the same as of other times.
  @Test(arguments: 1...3 as ClosedRange<UInt64>) func randomHistories(_ seed: UInt64) throws {
    var random = Seeded(state: seed)
    let store = try open(seed % 2 == 0 ? .all : .newest(20))
    let start = clock.wallMicros()
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func step() throws {
      clock.advance(micros: Int64(pick(0...2)) * 500_000)
      let from = clock.wallMicros() + Int64(pick(-20...10)) * 1_000_000
      if pick(0...20) == 0 {
        if try store.read(name) != nil { try store.delete(name) }
      } else {
        try store.change(name) { requests in
          Set((0..<pick(1...3)).map { _ in "a\(pick(0...4))" }).sorted().map {
            pick(0...5) == 0
              ? requests.remove($0, from: from)
              : requests.set($0, .int(Int64(pick(0...9))), from: from, to: pick(0...2) == 0 ? from + 7_000_000 : 0)
          }
        }
      }
      if pick(0...15) == 0 { _ = try store.checkpoint() }
    }
    for round in 0..<25 {
      for _ in 0..<8 { try step() }
      let limits = HistoryLimits(facts: pick(1...12), changes: pick(1...12))
      let isDisturbed = round % 2 == 0
      let found = try withName { twin in
        try store.facts(of: twin, limits: limits) { () throws(StoreError) in
          if isDisturbed && pick(0...3) == 0 && store.head < 400 { try? step() }
        }
      }
      let whole = try withName { try store.facts(of: $0) }
      guard let found, let whole else { continue }
      if found.from == whole.from { #expect(found.facts == whole.facts.filter { $0.sequence <= found.sequence }) }
      for _ in 0..<10 {
        let now = clock.wallMicros()
        let valid = Int64.random(in: max(start, whole.from)...now + 10_000_000, using: &random)
        let known = Int64.random(in: max(start, whole.from)...now, using: &random)
        let answer = try withName { try store.asOf($0, validAt: valid, knownAt: known, limits: limits) }
        let expected = try withName { try store.image($0, whole, validAt: valid, knownAt: known) }
        switch answer {
        case .image(let image, let sequence):
          #expect(image.records.elementsEqual(expected?.records ?? UnsafeRawBufferPointer(start: nil, count: 0)))
          #expect(image.revision == expected?.revision && sequence == whole.sequence)
        case .refused(let error): #expect(error.code == .notFound && expected == nil, "\(error)")
        case .absent: Issue.record("it is there")
        }
      }
    }
  }
}
