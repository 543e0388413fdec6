// The two ways to look at a damaged journal: verify it, and give up its end.

import Testing
import TwinStore

@Suite struct JournalDropTests {
  private let disk = JournalDisk()

  private func fill(_ count: Int = 40) throws -> [Written] {
    let journal = try disk.start()
    let records = (1...count).map { Written(UInt64($0)) }
    for record in records { try journal.addSomewhere(record) }
    try journal.syncAll()
    return records
  }

  private func check(applied: UInt64 = 0) throws -> JournalCheck {
    try JournalCheck(dataDirectory: "data", fileSystem: disk, appliedSequence: applied, isExpected: true)
  }

  /// All bytes that there are, wherever.
  private var bytesInAll: Int { disk.files.values.reduce(0) { $0 + $1.bytes.count } }

  @Test func aSoundJournalIsReportedWhole() throws {
    let records = try fill()
    let calls = disk.calls.count
    let check = try check()
    #expect(check.isSound && check.recordCount == records.count && disk.calls.count == calls)
    #expect(check.segments.map(\.path) == disk.segments)
    #expect(check.segments.first?.firstSequence == 1 && check.segments.last?.info.lastSequence == 40)
    let pairs = zip(check.segments, check.segments.dropFirst())
    for (one, next) in pairs { #expect(one.info.lastSequence + 1 == next.info.baseSequence) }
  }

  @Test func everyFaultIsReportedAtOnce() throws {
    _ = try fill()
    #expect(disk.segments.count >= 4)
    disk.files[disk.segments[0]]!.bytes[70] ^= 1
    disk.files[disk.segments[2]]!.bytes[20] ^= 1
    let check = try check()
    #expect(!check.isSound && check.segments.map(\.problems.count).prefix(4) == [1, 1, 1, 0])
    #expect(check.segments[0].problems[0].offset == 64)
    // Its records do not reach the next one's beginning.
    #expect(check.segments[1].problems[0].reason.hasPrefix("it follows sequence"))
    #expect(check.segments[2].problems[0].reason == "the header's checksum does not match")
    #expect(try self.check(applied: 41).segments.last?.problems.count == 1)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 23, 39] as [UInt64]) func whatFollowsASequenceIsSetAside(sequence: UInt64) throws {
    let records = try fill()
    let before = bytesInAll
    let report = try disk.drop(after: sequence)
    #expect(report.lastSequence == sequence && report.bytesDropped > 0 && !report.files.isEmpty)
    // A new segment came, and nothing went.
    #expect(bytesInAll == before + 512)
    disk.losePower()
    let (found, recovery) = try disk.recover()
    #expect(found == Array(records.prefix(Int(sequence))))
    #expect(recovery.freeSequence == 41 && recovery.gaps == [sequence + 1...40])
    let journal = try disk.start()
    try journal.add(Written(41))
    #expect(try disk.recover().records == found + [Written(41)])
    #expect(try check().isSound)
  }

  @Test func nothingToDropChangesNothing() throws {
    _ = try fill()
    let calls = disk.calls.count
    let report = try disk.drop(after: 40)
    #expect(report.lastSequence == 40 && report.bytesDropped == 0 && report.files.isEmpty)
    #expect(disk.calls.count == calls)
    #expect(throws: StoreError.undroppable(sequence: 5, applied: 9)) { try disk.drop(after: 5, applied: 9) }
    #expect(throws: StoreError.missingJournal(path: "data/journal", applied: 0)) {
      try JournalDisk().drop(after: 5)
    }
  }

  /// Wherever a byte is flipped: when a start is refused, doing what it says helps, and keeps all that it says.
  @Test(arguments: [0, 20] as [UInt64]) func theRemedyHelpsAgainstEveryFlip(applied: UInt64) throws {
    let records = try fill()
    var refused = 0
    for path in disk.segments {
      for offset in stride(from: 0, to: disk.files[path]!.bytes.count, by: 3) {
        let disk = disk.copy()
        disk.files[path]!.bytes[offset] ^= 1 << UInt8(offset % 8)
        do throws(StoreError) {
          _ = try disk.recover(applied: applied)
        } catch {
          refused += 1
          if "\(error)".contains("no commit before the damage is left") {
            // There is nothing to keep, and so no sequence to drop after.
            #expect(applied == 0 && !"\(error)".contains("--drop-after"))
            #expect(try disk.drop(after: 0, applied: 0).lastSequence == 0)
            continue
          }
          let words = "\(error)".split(separator: " ")
          let keeps = try #require(words.last.flatMap { UInt64($0.dropLast()) })
          _ = try disk.drop(after: keeps, applied: applied)
          let (found, recovery) = try disk.recover(applied: applied)
          let kept = found.filter { $0.sequence > applied }
          #expect(kept == records.filter { $0.sequence > applied && $0.sequence <= keeps }, "byte \(offset) of \(path)")
          #expect(recovery.lastSequence == keeps && recovery.freeSequence >= 41)
        }
      }
    }
    #expect(refused > 400)
  }

  @Test func aDropThatCrashedCanBeDoneAgain() throws {
    let records = try fill()
    disk.files[disk.segments[1]]!.bytes[100] ^= 1
    let sound = disk.copy()
    _ = try sound.drop(after: 12)
    let kept = try sound.recover().records
    #expect(kept == Array(records.prefix(kept.count)) && kept.count < 12)
    for index in 0..<sound.calls.count {
      let disk = disk.copy()
      disk.fault = { _, call in call >= index ? Errno(5) : nil }
      #expect(throws: StoreError.self) { try disk.drop(after: 12) }
      disk.fault = { _, _ in nil }
      _ = try disk.drop(after: 12)
      #expect(try disk.recover().records == kept, "call \(index)")
    }
  }
}
