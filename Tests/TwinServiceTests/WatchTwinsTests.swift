import TTRPC
import Testing
import TwinClient
import TwinStore

@Suite struct WatchTwinsTests {
  private func options(prefix: String, from sequence: UInt64? = nil, coalesce: Bool = false) -> WatchOptions {
    var options = WatchOptions()
    options.prefix = prefix
    options.fromSequence = sequence
    options.coalesce = coalesce
    return options
  }

  @Test func snapshotInNameOrderThenChanges() throws {
    let fixture = try ServiceFixture()
    for id in ["b", "a"] { try fixture.twind.update("acme/customer/\(id)", [.set("n", .int(1))]) }
    try fixture.twind.update("other/customer/a", [.set("n", .int(1))])
    let watch = try fixture.client().watch(options(prefix: "acme/"))
    let first = try #require(try watch.next())
    #expect(first.snapshot.map(\.name) == ["acme/customer/a", "acme/customer/b"])
    #expect(first.isSnapshotComplete && first.sequence == 3)
    try fixture.twind.update("other/customer/a", [.set("n", .int(2))])
    try fixture.twind.update("acme/customer/a", [.set("n", .int(2)), .set("m", .int(1))])
    try fixture.twind.update("acme/customer/a", [.remove("m")])
    try fixture.twind.delete("acme/customer/a")
    let set = try #require(try watch.next())
    #expect(set.sequence == 5 && set.changes.map(\.name) == ["acme/customer/a"])
    #expect(set.changes[0].attributes.map(\.name) == ["m", "n"] && set.changes[0].revision == 5)
    #expect(try watch.next()?.changes[0].removed == ["m"])
    #expect(try watch.next()?.changes[0].isDeleted == true)
  }

  @Test func factsAboutOtherTimesAreNoChangeOfNow() throws {
    let fixture = try ServiceFixture()
    try fixture.twind.update("acme/customer/a", [.set("n", .int(2))])
    for coalesce in [false, true] {
      let watch = try fixture.client().watch(options(prefix: "acme/", from: fixture.store.head, coalesce: coalesce))
      var late = Change.set("n", .int(coalesce ? 3 : 1))
      late.validFrom = 500
      var gone = Change.remove("gone")
      (gone.validFrom, gone.validTo) = (500, 600)
      let commit = try fixture.twind.update("acme/customer/a", [late, gone, .set("m", .bool(coalesce))])
      let event = try #require(try watch.next())
      #expect(event.sequence == commit.sequence && event.changes[0].attributes.map(\.name) == ["m"])
      #expect(event.changes[0].removed.isEmpty)
      let others = event.changes[0].otherFacts
      #expect(others.map(\.attribute) == ["gone", "n"] && others.map(\.value) == [nil, .int(coalesce ? 3 : 1)])
      #expect(others.allSatisfy { $0.validFrom == 500 && $0.sequence == commit.sequence && $0.ordinal == nil })
    }
    #expect(try fixture.twind.get("acme/customer/a").twin?["n"] == .int(2))
  }

  @Test func resumesInsideTheFeed() throws {
    let fixture = try ServiceFixture()
    for n in 1...5 { try fixture.twind.update("acme/customer/a", [.set("n", .int(Int64(n)))]) }
    let watch = try fixture.client().watch(options(prefix: "acme/", from: 3))
    #expect(try watch.next()?.sequence == 4)
    #expect(try watch.next()?.sequence == 5)
    let ahead = try fixture.client().watch(options(prefix: "acme/", from: 9))
    #expect(code { _ = try ahead.next() } == .outOfRange)
  }

  /// The feed holds a few of them: what lies before is read from disk, the rest from memory, none twice.
  @Test func aCursorThatTheFeedHasLeftBehind() throws {
    var small = Store.Options.small
    small.memoryBytesMax = 8 * 4096
    let fixture = try ServiceFixture(options: small)
    for n in 1...200 {
      try fixture.twind.update("acme/customer/a", [.set("n", .int(Int64(n)))])
      if n % 20 == 0 { _ = try fixture.store.checkpoint() }
    }
    #expect(fixture.store.feed.oldest > 100)
    let watch = try fixture.client().watch(options(prefix: "acme/", from: 1))
    for sequence in 2...200 { #expect(try watch.next()?.sequence == UInt64(sequence)) }
    try fixture.twind.update("acme/customer/a", [.set("n", .int(0))])
    #expect(try watch.next()?.sequence == 201)
  }

  @Test func coalescingKeepsTheLastChangeOfEachAttribute() throws {
    let fixture = try ServiceFixture()
    try fixture.twind.update("acme/customer/a", [.set("n", .int(0))])
    for n in 1...50 { try fixture.twind.update("acme/customer/a", [.set("n", .int(Int64(n)))]) }
    try fixture.twind.update("acme/customer/a", [.set("m", .int(7))])
    try fixture.twind.delete("acme/customer/a")
    try fixture.twind.update("acme/customer/a", [.set("k", .int(1))])
    let watch = try fixture.client().watch(options(prefix: "acme/", from: 1, coalesce: true))
    let event = try #require(try watch.next())
    #expect(event.sequence == 54 && event.changes.count == 2)
    #expect(event.changes[0].isDeleted && event.changes[0].attributes.isEmpty)
    #expect(!event.changes[1].isDeleted && event.changes[1].attributes.map(\.name) == ["k"])
    let before = try fixture.client().watch(options(prefix: "acme/", from: 53, coalesce: true))
    #expect(try before.next()?.changes[0].isDeleted == false)
  }

  @Test func namesOrPrefixNotBoth() throws {
    let fixture = try ServiceFixture()
    var both = options(prefix: "acme/")
    both.names = ["acme/customer/a"]
    let watch = try fixture.client().watch(both)
    #expect(code { _ = try watch.next() } == .invalidArgument)
  }

  /// Applying what a watch delivers gives what reads show: no gap, nothing twice, under concurrent writers.
  @Test func aWatchersCopyIsTheTwins() async throws {
    let fixture = try ServiceFixture()
    for id in 0..<300 { try await fixture.twind.update("acme/customer/\(id)", [.set("n", .int(0))]) }
    let writer = Task.detached {
      let twind = fixture.client()
      for n in 1...1500 { try twind.update("acme/customer/\(n * 7 % 300)", [.increment("n", by: .int(1))]) }
      return try twind.update("acme/end/1", [.set("n", .int(1))]).sequence
    }
    let copy = try await Task.detached { try Self.copy(fixture.client().watch(self.options(prefix: "acme/"))) }.value
    _ = try await writer.value
    for id in 0..<300 {
      let twin = try await fixture.twind.get("acme/customer/\(id)").twin
      #expect(copy["acme/customer/\(id)"] == twin?["n"])
    }
  }

  /// Follows a watch until the twin `acme/end/1` comes.
  private static func copy(_ watch: TwinWatch) throws -> [String: Value] {
    var copy: [String: Value] = [:]
    var last: UInt64 = 0
    while copy["acme/end/1"] == nil, let event = try watch.next() {
      for twin in event.snapshot { copy[twin.name] = twin["n"] }
      for change in event.changes {
        guard case .scalar(.int(let new)) = change.attributes[0].value else { continue }
        // Increments by one: a gap or a repetition shows at once.
        if case .scalar(.int(let old))? = copy[change.name] { #expect(new == old + 1, "\(change.name)") }
        copy[change.name] = .int(new)
      }
      if event.sequence > 0 { #expect(event.sequence >= last) }
      last = max(last, event.sequence)
    }
    return copy
  }
}
