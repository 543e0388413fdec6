// What recovery refuses to read is never written: commits over a limit of the journal's records are refused, and the
// store goes on.

import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct CommitSizeTests {
  private let place = Workplace()
  private let clock = ManualClock()

  @Test(arguments: Durability.allCases) func aCommitLargerThanARecordIsRefused(_ level: Durability) throws {
    var options = Store.Options.small
    options.durability = level
    let store = try place.open(clock: clock, options: options)
    try store.update("a/b/1", ["n": .int(1)])
    let large = Literal.string(String(repeating: "x", count: 60_000))
    let values = Dictionary(uniqueKeysWithValues: (0..<5).map { ("v\($0)", large) })
    for key in ["", "k"] {
      let error = #expect(throws: TwinError.self) { try store.update("a/b/1", values, key: key) }
      #expect(error?.code == .resourceExhausted && error?.message.contains("262144") == true)
      guard case .limit("journalRecordBytesMax", 262_144, let actual)? = error?.detail else {
        Issue.record("\(String(describing: error?.detail))")
        return
      }
      #expect(actual > 300_000)
    }
    #expect(store.head == 1 && store.failure == nil)
    try store.update("a/b/1", ["n": .int(2)], key: "k")
    try store.flush()
    let again = try place.copy().open(clock: clock)
    #expect(try again.value("a/b/1", "n") == .int(2) && again.value("a/b/1", "v0") == nil)
  }

  /// The most that a request may ask for.
  @Test func aCommitWithAsManyFactsAsAllowedIsReadAgain() throws {
    let store = try place.open(clock: clock, options: Store.Options())
    let names = (0..<250).map { "a/b/\($0)" }
    let result = try store.update(all: names, ["a": .int(1), "b": .int(2), "c": .int(3), "d": .int(4)])
    #expect(result.factCount == Limits.changesMax)
    try store.flush()
    let again = try place.copy().open(clock: clock, options: Store.Options())
    #expect(again.head >= result.sequence)
    #expect(try again.value("a/b/249", "d") == .int(4))
  }

  /// What is scheduled becomes current by time alone: the row must be readable then too.
  @Test func attributesThatBeginByTimeAloneAreReadAgain() throws {
    let store = try place.open(clock: clock, options: Store.Options())
    let now = clock.wallMicros()
    for first in stride(from: 0, to: 256, by: 128) {
      try store.change("a/b/1") { requests in (first..<first + 128).map { requests.set("a\($0)", .int(1)) } }
    }
    for first in stride(from: 0, to: 256, by: 128) {
      try store.change("a/b/1") { requests in
        (first..<first + 128).map { requests.set("b\($0)", .int(1), from: now + 1_000_000) }
      }
    }
    clock.advance(micros: 2_000_000)
    #expect(try store.read("a/b/1")?.count == 512)
    _ = try store.checkpoint()
    try store.close()
    let again = try place.open(clock: clock, options: Store.Options())
    #expect(try again.read("a/b/1")?.count == 512)
    // It takes no more, and changes.
    let error = #expect(throws: TwinError.self) { try again.change("a/b/1") { [$0.set("c", .int(1))] } }
    #expect(error?.code == .resourceExhausted)
    try again.change("a/b/1") { [$0.remove("a1"), $0.set("c", .int(1))] }
    #expect(try again.read("a/b/1")?.count == 512)
  }
}
