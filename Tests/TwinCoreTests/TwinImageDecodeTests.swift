import Testing
import TwinCore
import TwinFixtures

/// Stored bytes after damage: never a trap, and nothing accepted that protobuf-c could not read.
@Suite struct TwinImageDecodeTests {
  private let scene = Scene()

  private func decode(
    _ records: [UInt8], pending: [UInt8] = [], isDeleted: Bool = false
  ) -> Result<TwinImage, RecordFault> {
    withBytes("a/b/c") { name in
      withBytes(records) { records in
        withBytes(pending) { pending in
          do throws(RecordFault) {
            return .success(
              try TwinImage.decode(
                name: TwinName(unchecked: name), agent: UnsafeRawBufferPointer(start: nil, count: 0), revision: 1,
                recordedAt: scene.now, isDeleted: isDeleted, records: records, pending: pending))
          } catch {
            return .failure(error)
          }
        }
      }
    }
  }

  private func stored() throws -> [UInt8] {
    let requests = scene.requests
    try scene.update([
      requests.set("city", .string("Bern")), requests.set("n", .int(300)), requests.set("x", .double(1)),
      requests.set("l", .list([.int(1), .string("é")])), requests.set("j", .json("[1]")),
    ])
    return Array(scene.image!.records)
  }

  @Test func everyFlippedBitAndEveryCut() throws {
    let whole = try stored()
    var refused = 0
    for index in whole.indices {
      for bit in 0..<8 {
        var damaged = whole
        damaged[index] ^= 1 << UInt8(bit)
        switch decode(damaged) {
        case .success(let image): #expect(unpackTwin(damaged)?.count == image.entryCount)
        case .failure: refused += 1
        }
      }
      if case .success(let image) = decode(Array(whole[..<index])) {
        #expect(unpackTwin(Array(whole[..<index]))?.count == image.entryCount)
      }
    }
    #expect(refused > whole.count)
  }

  @Test func randomBytes() {
    var accepted = 0
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1...40)).map { _ in UInt8.random(in: 0...255) }
      if case .success = decode(bytes) {
        accepted += 1
        #expect(unpackTwin(bytes) != nil)
      }
    }
    #expect(accepted < 20)
  }

  @Test func pendingFactsAreChecked() throws {
    let requests = scene.requests
    let now = scene.now
    try scene.update([
      requests.set("a", .int(1)), requests.set("b", .int(1), from: now + 10), requests.set("c", .int(1)),
    ])
    try scene.update([requests.set("a", .int(2), from: now + 20, to: now + 30), requests.remove("c")])
    let image = scene.image!
    let (records, pending) = (Array(image.records), Array(image.pendingRecords))
    #expect(image.nextChangeTime == now + 10 && image.pendingCount == 3 && image.entryCount == 1)
    guard case .success(let again) = decode(records, pending: pending) else {
      Issue.record("what was stored is refused")
      return
    }
    #expect(again.nextChangeTime == now + 10 && again.derived(at: now + 20).value("a") == .int(2))
    for (records, pending, words) in [
      (records, pending + pending, "out of order"), (records, records, "both current and pending"),
      (pending, [], "no readable value"),
    ] {
      guard case .failure(let fault) = decode(records, pending: pending) else {
        Issue.record("\(words) was accepted")
        continue
      }
      #expect(fault.reason.contains(words))
    }
    for index in pending.indices {
      for bit in 0..<8 {
        var damaged = pending
        damaged[index] ^= 1 << UInt8(bit)
        guard case .success(let image) = decode(records, pending: damaged) else { continue }
        #expect(unpackTwin(damaged)?.count == image.pendingCount)
        for time in [now, now + 10, now + 25, .max] { #expect(image.derived(at: time).unpacked != nil) }
      }
    }
  }

  @Test func orderAndDeletionAreChecked() throws {
    let whole = try stored()
    guard case .failure(let twice) = decode(whole + whole) else {
      Issue.record("attributes twice were accepted")
      return
    }
    #expect(twice.offset == whole.count)
    #expect(twice.reason.contains("out of order"))
    guard case .failure = decode(whole, isDeleted: true) else {
      Issue.record("a deleted twin with attributes was accepted")
      return
    }
  }
}
