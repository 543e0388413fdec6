import Testing
import TwinCore
import TwinFixtures

@Suite struct TwinImageTests {
  private let scene = Scene()

  private func fill() throws {
    let requests = scene.requests
    try scene.update(
      [
        requests.set("zip", .string("8001")),
        requests.set("address.city", .string("Zürich"), confidence: 0.5, evidence: "ticket:4711"),
        requests.set("address.street", .string(String(repeating: "long", count: 100))),
        requests.set("orders", .int(-7)), requests.set("ratio", .double(0.25)), requests.set("vip", .bool(false)),
        requests.set("blob", .bytes([0, 1, 255])), requests.set("seen", .timestamp(99)),
        requests.set("tags", .list([.string("a"), .int(2), .double(1.5)])), requests.set("raw", .json("{\"a\":[]}")),
        requests.set("empty", .string("")), requests.set("none", .bytes([])), requests.set("nothing", .list([])),
      ], purpose: "support")
  }

  private func copied(_ image: TwinImage, _ mask: AttributeMask, _ sight: Sight) -> [UInt8] {
    let size = image.recordsSize(mask, sight)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let start = UnsafeMutableRawPointer(buffer.baseAddress!)
      count = image.writeRecords(mask, sight, to: start) - start
    }
  }

  private func mask(_ names: [String]) throws(TwinError) -> AttributeMask {
    try AttributeMask(scene.requests.array(names.map(scene.requests.text)), count: names.count)
  }

  @Test func recordsAreTheAttributesOfATwin() throws {
    try fill()
    let image = try #require(scene.image)
    let attributes = try #require(unpackTwin(copied(image, .all, .all)))
    #expect(attributes.map(\.name) == attributes.map(\.name).sorted())
    #expect(attributes.count == 13 && image.entryCount == 13)
    #expect(scene.value("tags") == .list([.string("a"), .int(2), .double(1.5)]))
    #expect(scene.value("blob") == .bytes([0, 1, 255]))
    #expect(scene.value("none") == .bytes([]))
    #expect(scene.value("nothing") == .list([]))
    #expect(scene.value("empty") == .string(""))
    #expect(scene.value("raw") == .json("{\"a\":[]}"))
    let city = try #require(attributes.first { $0.name == "address.city" })
    #expect(
      city
        == UnpackedAttribute(
          name: "address.city", value: .string("Zürich"), validFrom: 1_000_000, recordedAt: 1_000_000,
          agent: "support-agent", confidence: 0.5, evidence: "ticket:4711", sequence: 1, purpose: "support"))
    #expect(image.revision == 1 && image.recordedAt == 1_000_000 && !image.isDeleted)
    #expect(Array(image.name.bytes) == Array(scene.name.utf8))
    #expect(Array(image.agent.bytes) == Array("support-agent".utf8))
  }

  @Test func masksChooseAndSightsWithhold() throws {
    try fill()
    let image = try #require(scene.image)
    let masked = try #require(unpackTwin(copied(image, try mask(["address", "vip"]), .all)))
    #expect(masked.map(\.name) == ["address.city", "address.street", "vip"])
    #expect(copied(image, .all, Sight(mask: 1)) == Array(image.records))
    #expect(copied(image, .all, Sight(mask: 2)).isEmpty)
    var withheld: [String] = []
    image.forEachWithheld(try mask(["address"]), Sight(mask: 2)) {
      withheld.append(String(decoding: $0, as: UTF8.self))
    }
    #expect(withheld == ["address.city", "address.street"])
    image.forEachWithheld(.all, .all) { _ in Issue.record("nothing is withheld") }
  }

  @Test func find() throws {
    try fill()
    let image = try #require(scene.image)
    for attribute in try #require(image.unpacked) {
      let entry = try #require(withBytes(attribute.name) { image.find($0) })
      #expect(String(decoding: image.name(entry), as: UTF8.self) == attribute.name)
      #expect(unpackTwin(Array(image.record(entry)))?.map(\.name) == [attribute.name])
    }
    for name in ["a", "address", "orders2", "zzz", ""] { #expect(withBytes(name) { image.find($0) } == nil) }
  }

  @Test func decodeReadsBackWhatIsStored() throws {
    try fill()
    let image = try #require(scene.image)
    let again = try TwinImage.decode(
      name: image.name, agent: image.agent.bytes, revision: image.revision, recordedAt: image.recordedAt,
      isDeleted: false, records: image.records, pending: image.pendingRecords)
    #expect(again.isIdentical(to: image))
    #expect(again.unpacked == image.unpacked)
    #expect(withBytes("orders") { again.find($0) } != nil)
    #expect(again.byteCount == image.byteCount)
  }

  @Test func layout() {
    #expect(MemoryLayout<TwinImage.Entry>.stride == 16)
    #expect(MemoryLayout<TwinImage.Header>.size <= 98)
    #expect(MemoryLayout<TwinImage>.size == 8)
  }
}
