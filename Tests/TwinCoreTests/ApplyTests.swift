import Testing
import TwinCore
import TwinFixtures

@Suite struct ApplyTests {
  /// Hundreds of random commits against a dictionary.
  @Test func agreesWithAModel() throws {
    for _ in 0..<20 {
      let scene = Scene()
      let requests = scene.requests
      var model: [String: Int64] = [:]
      for _ in 0..<60 {
        var changes: [ChangePointer] = []
        var next = model
        for name in Set((0..<Int.random(in: 1...6)).map { _ in "a\(Int.random(in: 0...12))" }) {
          switch Int.random(in: 0...3) {
          case 0:
            changes.append(requests.remove(name))
            next[name] = nil
          case 1:
            changes.append(requests.increment(name, .int(3)))
            next[name, default: 0] += 3
          default:
            let number = Int64.random(in: 0...3)
            changes.append(requests.set(name, .int(number)))
            next[name] = number
          }
        }
        scene.now += 1
        let before = scene.image
        let facts = try scene.update(changes)
        let differing = Set(model.keys).union(next.keys).filter { model[$0] != next[$0] }
        #expect(facts == differing.count)
        if facts == 0 {
          #expect(before.map { $0.isSame(as: scene.image!) } ?? (scene.image == nil))
          continue
        }
        let image = try #require(scene.image?.unpacked)
        #expect(image.map(\.name) == next.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        for attribute in image { #expect(attribute.value == .int(next[attribute.name]!)) }
        let change = try #require(unpackChange(Array(scene.lastChange!.records)))
        #expect(Set(change.set.map(\.name)).union(change.removed) == differing)
        #expect(change.set.allSatisfy { $0.sequence == scene.sequence })
        #expect(change.set == image.filter { differing.contains($0.name) })
        model = next
      }
    }
  }

  /// Memory has a twin that begins with one commit once, unless something of it does not hold from now on for good.
  @Test func aTwinThatBeginsIsItsChange() throws {
    let requests = Scene().requests
    func isShared(_ change: ChangePointer) throws -> Bool {
      let scene = Scene()
      try scene.update([requests.set("plain", .int(1)), change])
      return scene.image!.isSame(as: scene.lastChange!)
    }
    #expect(try isShared(requests.set("other", .int(2))))
    #expect(try isShared(requests.set("past", .int(2), from: 5)))
    #expect(try !isShared(requests.set("later", .int(2), from: 2_000_000)))
    #expect(try !isShared(requests.set("bounded", .int(2), from: 5, to: 3_000_000)))
    let scene = Scene()
    try scene.update([requests.set("a", .int(1))])
    let first = try #require(scene.image)
    try scene.update([requests.set("a", .int(2))])
    #expect(!scene.image!.isSame(as: scene.lastChange!))
    #expect(first.unpacked?.map(\.value) == [.int(1)])
  }

  @Test func theChangeIsReadUnderMaskAndSight() throws {
    let scene = Scene()
    let requests = scene.requests
    try scene.update([requests.set("a.b", .int(1)), requests.set("c", .int(1))])
    try scene.update([requests.remove("a.b"), requests.set("c", .int(2)), requests.set("d", .int(1))])
    let change = try #require(scene.lastChange)
    let mask = try AttributeMask(requests.array([requests.text("a"), requests.text("d")]), count: 2)
    let size = change.recordsSize(mask, .all)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      change.writeRecords(mask, .all, to: UnsafeMutableRawPointer(buffer.baseAddress!))
      count = size
    }
    let seen = try #require(unpackChange(bytes))
    #expect(seen.removed == ["a.b"] && seen.set.map(\.name) == ["d"])
    #expect(change.entries.map { $0.flags.contains(.removal) } == [true, false, false])
    #expect(change.recordsSize(.all, Sight(mask: 4)) == 0)
  }
}
