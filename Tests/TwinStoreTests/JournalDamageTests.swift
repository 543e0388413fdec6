// Bytes that are not what was written: synced records are there or the start is refused, others are there or cut.

import Testing
import TwinStore

@Suite struct JournalDamageTests {
  private let disk = JournalDisk()

  private func error(_ disk: JournalDisk, applied: UInt64 = 0) -> StoreError? {
    do throws(StoreError) {
      _ = try disk.recover(applied: applied)
      return nil
    } catch {
      return error
    }
  }

  /// Three segments; the last has records that were synced and two that were not.
  private func scene() throws -> (records: [Written], synced: Int) {
    let journal = try disk.start()
    var records: [Written] = []
    func add(_ record: Written) throws {
      records.append(record)
      try journal.addSomewhere(record)
    }
    for sequence in 1...20 { try add(Written(UInt64(sequence))) }
    try add(Written(20, "a result"))
    try journal.syncAll()
    let synced = records.count
    try journal.add(Written(21), Written(22))
    records += [Written(21), Written(22)]
    #expect(journal.segmentCount == 3)
    return (records, synced)
  }

  @Test func everyFlippedByteIsFoundOrHarmless() throws {
    let (records, synced) = try scene()
    var refused = 0
    var cut = 0
    for path in disk.segments {
      for offset in disk.files[path]!.bytes.indices {
        let disk = disk.copy()
        disk.files[path]!.bytes[offset] ^= 1 << UInt8(offset % 8)
        do throws(StoreError) {
          let (found, recovery) = try disk.recover()
          #expect(found == Array(records.prefix(found.count)) && found.count >= synced, "byte \(offset) of \(path)")
          if found.count < records.count {
            #expect(recovery.bytesCut > 0)
            cut += 1
          }
        } catch {
          refused += 1
        }
      }
    }
    // The mark of the last sync and the two records behind it are not synced and are cut. All else is damage, but for
    // the zeros that no record has taken yet.
    let tail = 24 + 2 * (24 + 16)
    let zeros = disk.files[disk.segments[2]]!.bytes.count - (try disk.recover().recovery.segments[2].end)
    #expect(cut == tail && refused == disk.segments.reduce(0) { $0 + disk.files[$1]!.bytes.count } - tail - zeros)
  }

  @Test func everyTruncationIsDamage() throws {
    let (records, synced) = try scene()
    for path in disk.segments {
      for count in disk.files[path]!.bytes.indices {
        let disk = disk.copy()
        disk.files[path]!.bytes.removeLast(disk.files[path]!.bytes.count - count)
        guard case .damaged(let place, _, _, _) = error(disk) else {
          Issue.record("\(path) of \(count) bytes was taken")
          continue
        }
        #expect(place == path)
      }
    }
    #expect(records.count == synced + 2)
  }

  @Test func anyTornTailOfWhatWasNotSyncedIsCut() throws {
    let (records, synced) = try scene()
    let path = disk.segments[2]
    let bytes = disk.files[path]!.bytes
    let end = try disk.recover().recovery.segments[2].end
    let start = end - 2 * (24 + 16)
    for torn in start..<end {
      for garbage in [0, 0xa5] as [UInt8] {
        let disk = disk.copy()
        // Written up to `torn`; or only the second record arrived, in a page of its own.
        for place in torn..<end { disk.files[path]!.bytes[place] = garbage }
        let (found, recovery) = try disk.recover()
        // The padding is zeros anyway.
        let kept = [start, start + 40].prefix { disk.files[path]!.bytes[$0..<$0 + 40] == bytes[$0..<$0 + 40] }.count
        #expect(found == Array(records.prefix(synced + kept)))
        let journal = try disk.start(jump: 100)
        try journal.add(Written(journal.segments.last!.baseSequence, "after"))
        #expect(try disk.recover().records.last?.payload == "after")
        #expect(recovery.bytesCut <= end - start)
      }
    }
    let swapped = disk.copy()
    swapped.files[path]!.bytes.replaceSubrange(start..<start + 40, with: Array(repeating: 0, count: 40))
    let (found, recovery) = try swapped.recover()
    #expect(found.count == synced && recovery.bytesCut == 80)
    #expect(disk.files[path]!.bytes == bytes)
  }

  @Test func damageNamesFileOffsetAndRemedy() throws {
    _ = try scene()
    let path = disk.segments[1]
    disk.files[path]!.bytes[64 + 40 + 30] ^= 1
    let base = disk.baseSequence(of: path)
    guard case .damaged(path, 64 + 40, let reason, let remedy) = error(disk) else {
      Issue.record("not refused as it should be")
      return
    }
    #expect(reason == "a record's checksum does not match")
    #expect(remedy.contains("twind recover --data-dir data --drop-after \(base)`"))
    // What the database holds cannot be dropped.
    #expect("\(error(disk, applied: 19)!)".contains("--drop-after 19`"))
  }

  @Test func anyMissingSegmentIsDamage() throws {
    _ = try scene()
    for path in disk.segments {
      let disk = disk.copy()
      disk.files[path] = nil
      guard case .damaged = error(disk) else {
        Issue.record("\(path) was not missed")
        continue
      }
    }
    let empty = disk.copy()
    empty.files = [:]
    #expect(throws: StoreError.missingJournal(path: "data/journal", applied: 0)) {
      try empty.recover()
    }
  }

  @Test func aJournalOlderThanTheDatabaseIsDamage() throws {
    _ = try scene()
    #expect(error(disk, applied: 22) == nil)
    guard case .damaged(_, _, let reason, _) = error(disk, applied: 23) else {
      Issue.record("taken")
      return
    }
    #expect(reason == "the journal ends at sequence 22 and the database holds 23")
  }

  @Test func segmentsThatWereSwappedAreDamage() throws {
    _ = try scene()
    let paths = disk.segments
    let content = disk.files[paths[1]]
    disk.files[paths[1]] = disk.files[paths[2]]
    disk.files[paths[2]] = content
    guard case .damaged(paths[1], 0, _, _) = error(disk) else {
      Issue.record("taken")
      return
    }
  }

  @Test func aNewerFormatIsLeftAlone() throws {
    let journal = try disk.start()
    try journal.add(Written(1))
    let path = disk.segments[0]
    disk.files[path]!.bytes[8] = 3
    disk.sealHeader(of: path)
    let calls = disk.calls.count
    #expect(throws: StoreError.newerFormat(path: path, version: 3, supported: 2)) { try disk.recover() }
    #expect(throws: StoreError.newerFormat(path: path, version: 3, supported: 2)) { try disk.drop(after: 0) }
    #expect(disk.calls.count == calls)
  }

  /// A client can put anything into its values, also what looks like a record.
  @Test func aRecordInsideOfAPayloadIsNoRecord() throws {
    let other = JournalDisk()
    let donor = try other.start(salt: 99)
    try donor.add(Written(1), Written(2))
    try donor.syncAll()
    let image = other.files[other.segments[0]]!.bytes[64..<200]
    let journal = try disk.start()
    try journal.add(Written(1))
    try journal.append(sequence: 2, bytes: Array(image))
    try journal.flush()
    let end = try disk.recover().recovery.segments[0].end
    // The un-synced record that holds the image is torn in its last byte.
    disk.files[disk.segments[0]]!.bytes[end - 1] ^= 1
    #expect(try disk.recover().records == [Written(1)])
  }
}
