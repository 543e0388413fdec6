import Testing
import TwinCore
import TwinFixtures

@Suite struct IncrementTests {
  private let scene = Scene()
  private var requests: Requests { scene.requests }

  @Test func absentCountsAsZero() throws {
    try scene.update([requests.increment("n", .int(5)), requests.increment("x", .double(0.5))])
    #expect(scene.value("n") == .int(5) && scene.value("x") == .double(0.5))
    try scene.update([requests.increment("n", .int(-7)), requests.increment("x", .double(0.25))])
    #expect(scene.value("n") == .int(-2) && scene.value("x") == .double(0.75))
  }

  @Test func byNothing() throws {
    #expect(try scene.update([requests.increment("n", .int(0))]) == 1)
    #expect(try scene.update([requests.increment("n", .int(0))]) == 0)
    #expect(scene.value("n") == .int(0))
  }

  @Test func typesMustFit() throws {
    try scene.update([
      requests.set("n", .int(1)), requests.set("x", .double(1)), requests.set("s", .string("1")),
      requests.set("t", .timestamp(1)),
    ])
    for (change, held, delta) in [
      (requests.increment("n", .double(1)), "int_value", "double_value"),
      (requests.increment("x", .int(1)), "double_value", "int_value"),
      (requests.increment("s", .int(1)), "string_value", "int_value"),
      (requests.increment("t", .int(1)), "timestamp_value", "int_value"),
    ] {
      let error = try #require(scene.failure([change]))
      #expect(error.code == .failedPrecondition)
      #expect(error.message.contains(held) && error.message.contains(delta))
    }
  }

  @Test func overflow() throws {
    try scene.update([requests.set("n", .int(.max)), requests.set("m", .int(.min)), requests.set("x", .double(1e308))])
    #expect(scene.failure([requests.increment("n", .int(1))])?.code == .outOfRange)
    #expect(scene.failure([requests.increment("m", .int(-1))])?.code == .outOfRange)
    #expect(scene.failure([requests.increment("x", .double(1e308))])?.code == .outOfRange)
    try scene.update([requests.increment("n", .int(.min))])
    #expect(scene.value("n") == .int(-1))
  }

  /// One that began later would take the place of the sums that are made until then; one that ended would take them along.
  @Test func itCountsFromNowOnForGood() throws {
    try scene.update([requests.set("n", .int(100))])
    let now = scene.now
    for (from, to) in [(Int64(5), Int64(0)), (now, 0), (now + 100, 0), (0, now + 100), (now + 100, now + 200)] {
      let error = try #require(scene.failure([requests.increment("n", .int(1), from: from, to: to)]))
      #expect(error.code == .invalidArgument)
      #expect(error.message.contains("\"n\"") && error.message.contains("leave valid_from_time and valid_to_time out"))
    }
    // The remedy.
    for _ in 0..<3 { try scene.update([requests.increment("n", .int(1))]) }
    #expect(scene.value("n") == .int(103))
  }

  @Test func theFactHoldsWhatWasAdded() throws {
    try scene.update([requests.increment("n", .int(5)), requests.increment("x", .double(-0.5))])
    let facts = try #require(unpackTwin(Array(scene.lastChange!.records)))
    #expect(facts.map(\.increment) == [.int(5), .double(-0.5)] && facts.map(\.value) == [.int(5), .double(-0.5)])
    try scene.update([requests.set("n", .int(5), evidence: "e")])
    #expect(scene.image?.unpacked?.map(\.increment) == [.none, .double(-0.5)])
  }
}
