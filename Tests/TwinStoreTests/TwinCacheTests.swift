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

  @Test func readersMayThrow() throws {
    let place = Workplace()
    let store = try place.open()
    try store.update("a/b/1", ["x": .int(1)])
    for _ in 0..<3 {
      #expect(throws: TwinError.self) {
        try withBytes("a/b/1") { bytes in
          try store.withTwin(TwinName(unchecked: bytes)) { (_, _) throws(TwinError) in throw .invalid("no") }
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
