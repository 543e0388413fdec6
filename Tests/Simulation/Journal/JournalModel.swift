// What a journal must hand out after a crash: the records that were appended, and how safe each of them was.

struct JournalModel {
  struct Entry: Equatable {
    let sequence: UInt64
    let payload: [UInt8]
  }

  private(set) var entries: [Entry] = []
  /// So many of them survive a kill, and so many a power failure.
  private(set) var written = 0
  private var synced = 0
  private var lostPower = false
  /// The first so many may be gone: the database has them.
  private var applied = 0
  private(set) var lastIssued: UInt64 = 0
  private(set) var appliedSequence: UInt64 = 0

  var count: Int { entries.count }

  mutating func append(_ sequence: UInt64, _ payload: [UInt8]) throws(HistoryFailure) {
    if sequence < lastIssued { throw HistoryFailure("sequence \(sequence) is issued after \(lastIssued)") }
    entries.append(Entry(sequence: sequence, payload: payload))
    lastIssued = sequence
  }

  /// All that was appended so far is in the file.
  mutating func noteWritten() { written = entries.count }

  /// The first so many are durable.
  mutating func noteSynced(_ count: Int) {
    synced = max(synced, count)
    written = max(written, synced)
  }

  /// The database holds everything that is durable.
  mutating func apply() {
    applied = synced
    if synced > 0 { appliedSequence = max(appliedSequence, entries[synced - 1].sequence) }
  }

  /// What was not synced may be lost.
  mutating func losePower() { lostPower = true }

  /// Compares, and forgets what was allowed to be lost and is.
  mutating func found(_ records: [Entry]) throws(HistoryFailure) {
    // What was deleted is in the database.
    let start = records.first.map { first in entries.prefix(applied + 1).firstIndex(of: first) } ?? applied
    guard let start else {
      throw HistoryFailure("the journal begins with a record that is not the next one after those deleted")
    }
    for (index, record) in records.enumerated() where start + index >= count || entries[start + index] != record {
      throw HistoryFailure("record \(index) of the journal, sequence \(record.sequence), was not appended there")
    }
    let end = start + records.count
    let safe = max(applied, lostPower ? synced : written)
    if end < safe {
      throw HistoryFailure(
        "\(safe - end) acknowledged records are lost: the journal ends before sequence \(entries[end].sequence)")
    }
    entries.removeLast(count - end)
    written = end
    // After a kill it may still be in memory only.
    if lostPower { synced = end }
    lostPower = false
  }

  /// A new run has begun: what was found is durable.
  mutating func noteRun() { synced = entries.count }
}
