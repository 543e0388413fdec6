// Retention against a store that keeps everything: whatever may still be asked has the same answer in both.

import Foundation
import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct OperationsRetentionTests {
  private static let names = (0..<6).map { "acme/customer/\($0)" } + (0..<2).map { "beta/device/\($0)" }

  private func withName<R>(_ name: String, _ body: (TwinName) throws -> R) throws -> R {
    try Array(name.utf8).withUnsafeBytes { try body(TwinName($0)) }
  }

  private func history(_ store: Store, _ name: String) throws -> TwinHistory? {
    try withName(name) { try store.facts(of: $0) }
  }

  private func asOf(
    _ store: Store, _ name: String, _ history: TwinHistory?, _ validAt: Int64, _ knownAt: Int64
  ) throws -> String {
    guard let history else { return "none" }
    return try withName(name) { twin in
      guard let image = try store.image(twin, history, validAt: validAt, knownAt: knownAt) else { return "none" }
      return "\(image.revision) \(image.recordedAt) \([UInt8](image.records))"
    }
  }

  /// One random commit, the same in both stores.
  private func step(_ stores: [Store], _ clock: ManualClock, _ random: inout Seeded) throws {
    let name = Self.names[Int.random(in: 0..<Self.names.count, using: &random)]
    let now = clock.wallMicros()
    if Int.random(in: 0..<25, using: &random) == 0 {
      for store in stores where try store.read(name) != nil { try store.delete(name) }
      return
    }
    let from = now + Int64.random(in: -30...15, using: &random) * 1_000_000
    let to =
      Int.random(in: 0..<3, using: &random) == 0 ? from + Int64.random(in: 1...40, using: &random) * 1_000_000 : 0
    let attributes = Array(
      Set(
        (0..<Int.random(in: 1...2, using: &random)).map { _ in
          Int.random(in: 0..<3, using: &random)
        })
    ).sorted()
    let value = Int64.random(in: 0..<1_000, using: &random)
    let isRemoval = Int.random(in: 0..<6, using: &random) == 0
    let start = Bool.random(using: &random) ? from : now
    for store in stores {
      try store.change(name) { requests in
        attributes.map { attribute in
          isRemoval
            ? requests.remove("a\(attribute)", from: start, to: max(to, to == 0 ? 0 : start + 1))
            : requests.set("a\(attribute)", .int(value), from: start, to: to == 0 ? 0 : max(to, start + 1))
        }
      }
    }
  }

  @Test(arguments: [1, 2, 19]) func readsAtOrAfterTheHorizonStayAsTheyAre(_ seed: UInt64) throws {
    var random = Seeded(state: seed)
    let clock = ManualClock()
    let (place, keeping) = (Workplace(), Workplace())
    var options = Store.Options.small
    let rule: Retention.Rule = seed % 2 == 0 ? .age(20_000_000) : .newest(8)
    options.retention = Retention(rules: ["acme": rule], others: .all)
    var store = try place.open(clock: clock, options: options)
    let model = try keeping.open(clock: clock)
    let begin = clock.wallMicros()
    for number in 1...300 {
      clock.advance(micros: Int64.random(in: 0...2, using: &random) * 500_000)
      try step([store, model], clock, &random)
      if number % 40 == 0 {
        _ = try store.checkpoint()
        try compare(store, model, begin, clock, &random)
      }
      if number == 200 {
        try store.close()
        try expectSound(place)
        store = try place.open(clock: clock, options: options)
      }
    }
    _ = try store.checkpoint()
    let kept = try Self.names.map { try history(store, $0)?.facts.count ?? 0 }.reduce(0, +)
    let all = try Self.names.map { try history(model, $0)?.facts.count ?? 0 }.reduce(0, +)
    #expect(kept < all * 3 / 4)
    #expect(Int(store.stats.factCount) == kept)
    try compareCommits(store, model)
    try store.close()
    try expectSound(place)
    let again = try place.open(clock: clock, options: options)
    #expect(again.oldestResumable == store.oldestResumable)
    try compare(again, model, begin, clock, &random)
  }

  private func compare(
    _ store: Store, _ model: Store, _ begin: Int64, _ clock: ManualClock, _ random: inout Seeded
  ) throws {
    let now = clock.wallMicros()
    for name in Self.names {
      #expect(try store.read(name) == model.read(name))
      guard let history = try history(store, name) else { continue }
      if name.hasPrefix("beta") { #expect(history.from == .min) }
      let oldest = max(history.from, begin - 60_000_000)
      let theirs = try self.history(model, name)
      for _ in 0..<40 {
        let knownAt = Int64.random(in: min(oldest, now)...now, using: &random)
        let validAt = Int64.random(in: oldest...now + 60_000_000, using: &random)
        #expect(
          try asOf(store, name, history, validAt, knownAt) == asOf(model, name, theirs, validAt, knownAt),
          "\(name) at \(validAt) as known at \(knownAt), kept from \(history.from)")
      }
      let known = max(oldest, begin)
      #expect(try asOf(store, name, history, oldest, known) == asOf(model, name, theirs, oldest, known))
    }
  }

  private func compareCommits(_ store: Store, _ model: Store) throws {
    _ = try store.checkpoint()
    _ = try model.checkpoint()
    let oldest = store.oldestResumable
    #expect(oldest > 0)
    #expect(throws: TwinError.self) { try store.checkResumable(oldest - 1) }
    try store.checkResumable(oldest)
    let (mine, theirs) = (
      try store.storedCommits(after: oldest, atLeast: 1_000), try model.storedCommits(after: oldest, atLeast: 1_000)
    )
    #expect(mine.map(\.sequence) == theirs.map(\.sequence))
    for (left, right) in zip(mine, theirs) {
      #expect(left.changes.map { [UInt8]($0.records) } == right.changes.map { [UInt8]($0.records) })
    }
  }

  private func expectSound(_ place: Workplace) throws {
    let problems = try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory()).problems
    #expect(problems == [], "\(problems)")
  }

  @Test func withoutARuleEverythingIsKept() throws {
    let (place, clock) = (Workplace(), ManualClock())
    let store = try place.open(clock: clock)
    for number in 1...300 { try store.update("a/b/1", ["n": .int(Int64(number))]) }
    _ = try store.checkpoint()
    _ = try store.checkpoint()
    #expect(try history(store, "a/b/1")?.facts.count == 300)
    #expect(store.oldestResumable == 0)
  }

  /// One twin with more facts than one look takes.
  @Test func aLongHistoryIsTrimmedPieceByPiece() throws {
    let (place, clock) = (Workplace(), ManualClock())
    var options = Store.Options.small
    options.journal.segmentBytes = 16 << 20
    var store = try place.open(clock: clock, options: options)
    let names = (0..<100).map { "n\($0)" }
    for number in 1...250 {
      clock.advance(micros: 1)
      try store.change("a/b/1") { requests in names.map { requests.set($0, .int(Int64(number))) } }
    }
    try store.close()
    options.retention = Retention(others: .newest(10))
    store = try place.open(clock: clock, options: options)
    _ = try store.checkpoint()
    let between = try #require(try history(store, "a/b/1"))
    #expect(between.facts.count > 5_000 && between.facts.count < 5_400)
    _ = try store.checkpoint()
    // The newest ten are of one commit, which stays whole, and the last before it says what the twin was then.
    #expect(try history(store, "a/b/1")?.facts.count == 200)
    #expect(try store.value("a/b/1", "n7") == .int(250))
    try store.close()
    try expectSound(place)
  }
}

/// The same numbers for the same seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
