import Testing
import TwinCore
import TwinFixtures
import TwinStore

@Suite struct TwinCacheTests {
  /// A key is the name inside its image: after thousands of replacements none points into a buffer that is gone.
  @Test func namesSurviveReplacement() throws {
    let place = Workplace()
    var options = Store.Options.small
    options.shardCount = 1
    let store = try place.open(options: options)
    for round in 0..<40 {
      for twin in 0..<50 {
        let text = Literal.string(String(repeating: "v", count: (round * 37 + twin) % 300))
        try store.update("a/b/twin-\(twin)", ["x": text])
      }
    }
    for twin in 0..<50 {
      let text = Literal.string(String(repeating: "v", count: (39 * 37 + twin) % 300))
      #expect(try store.value("a/b/twin-\(twin)", "x") == text)
    }
    #expect(store.stats.twinCount == 50 && store.stats.dirtyCount == 50)
    try store.close()
  }

  /// Past its bounds writers wait and are refused: what is counted must be what is there.
  @Test func nothingIsUnwrittenAfterACheckpoint() throws {
    let clock = ManualClock()
    let place = Workplace()
    let store = try place.open(clock: clock)
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    for round in 0..<5 {
      for twin in 0..<20 {
        let end = clock.wallMicros() + 1_000
        let change = requests.set("presence", .string("online"), from: clock.wallMicros(), to: end)
        let update = requests.update("a/b/\(twin)", [requests.set("n", .int(Int64(round))), change])
        _ = try store.commit(try Command(update: update, agent: Text(requests.text("tester"))), .none)
      }
      let before = store.stats.unwrittenBytes
      // Time alone takes an attribute away, of twins that no checkpoint has written: what was committed stays to be written.
      clock.advance(micros: 2_000)
      for twin in 0..<20 { #expect(try store.value("a/b/\(twin)", "presence") == nil) }
      #expect(store.stats.unwrittenBytes == before)
      _ = try store.checkpoint()
      #expect(store.stats.unwrittenBytes == 0)
    }
    try store.close()
  }

  @Test func readersMayThrow() throws {
    let place = Workplace()
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1)])
    for _ in 0..<3 {
      #expect(throws: TwinError.self) {
        try withBytes("a/b/1") { bytes in
          try store.withTwin(TwinName(unchecked: bytes), in: .unlimited) { (_, _, _) throws(TwinError) in
            throw .invalid("no")
          }
        }
      }
    }
    // The lock was given back each time.
    #expect(try store.value("a/b/1", "x") == .int(1))
    try store.close()
  }

  @Test func batchReadsKeepTheirOrder() throws {
    let place = Workplace()
    let store = try place.open()
    let names = (0..<256).map { "a/b/\($0 * 7_919 % 256)" }
    for name in names.dropLast(100) { try store.update(name, ["x": .int(1)]) }
    var seen: [String] = []
    let sequence = store.readAll(names) { index, image in
      #expect(index == seen.count)
      seen.append(image.map { String(decoding: $0.name.bytes, as: UTF8.self) } ?? "")
    }
    #expect(seen == names.dropLast(100) + Array(repeating: "", count: 100))
    #expect(sequence == 156)
    try store.close()
  }
}
