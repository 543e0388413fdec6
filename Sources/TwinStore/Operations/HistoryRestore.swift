// From a history, every fact of every twin, to a data directory: `twind restore` of what `twinctl export --history` wrote.
//
// Promises: facts keep their sequences, numbers and recorded times, and `apply` makes the twins of them, as it did when they
// were committed. Bounded memory, however long a history is. The directory is made whole or not at all (RestoreTarget).

import TwinCore

/// One fact of a history.
package struct HistoryFact: Sendable {
  /// The twin's. Twins follow each other in byte order of their names.
  package let name: [UInt8]
  /// From when on the twin's facts are all there, microseconds since the epoch; Int64.min = all there ever were.
  package let keptFrom: Int64
  /// Each twin's in the order of their recording.
  package let fact: StoredFact
  /// Of the file, for messages.
  package let line: Int

  package init(_ name: [UInt8], keptFrom: Int64, _ fact: StoredFact, line: Int) {
    self.name = name
    self.keptFrom = keptFrom
    self.fact = fact
    self.line = line
  }
}

extension StoreRestore {
  /// - Parameters:
  ///   - path: of the history, for messages.
  ///   - sequence: the facts are all up to it.
  ///   - directory: is made when it is missing, and must be empty else.
  ///   - next: the next fact; nil = that was the last one.
  /// - Throws: `badHistory`, `exists` when the directory holds anything, what `next` throws, `io`.
  package static func run(
    history path: String, through sequence: UInt64, directory: String,
    fileSystem: any FileSystem = PosixFileSystem(), scratch: String, next: () throws(StoreError) -> HistoryFact?,
    progress: (CheckProgress) -> Void = { _ in }
  ) throws(StoreError) -> RestoreReport {
    try withoutActuallyEscaping(progress) { (progress) throws(StoreError) in
      let target = try RestoreTarget(directory, fileSystem)
      let report = try target.complete { () throws(StoreError) in
        let database = try Database(path: target.partial, fileSystem: fileSystem)
        do throws(StoreError) {
          try database.loadCheckpointRow()
          var twins = HistoryTwins(path, database)
          while let fact = try next() { try twins.add(fact) }
          try twins.finish(through: sequence)
        } catch {
          try? database.close(hasFailed: true)
          throw error
        }
        try database.close(hasFailed: false)
        return try check(target.partial, named: target.path, fileSystem, scratch, progress)
      }
      return try RestoreReport(report, target)
    }
  }
}

/// Makes twins of their facts, and writes them in slices.
private struct HistoryTwins {
  /// What no version has exceeded: attributes of a twin, scheduled ones included.
  private static let attributesMax = 8 * Limits.attributesPerTwinMax
  /// The end of the year 9999, in microseconds since the epoch.
  private static let timeMax: Int64 = 253_402_300_799_999_999

  private let path: String
  private let database: Database
  private let limits = SliceLimits()
  private var slice: [TwinToWrite] = []
  private var sliceBytes = 0
  private var sliceCount = 0
  /// The highest sequence of a fact, and the latest of the times.
  private var sequence: UInt64 = 0
  private var latest: Int64 = 0

  /// The twin at hand.
  private var name: [UInt8] = []
  private var keptFrom = Int64.min
  private var image: TwinImage?
  /// Its changes that are not written.
  private var changes: [TwinImage] = []
  private var changeBytes = 0
  /// The facts of its commit at hand.
  private var commit: [HistoryFact] = []

  init(_ path: String, _ database: Database) {
    self.path = path
    self.database = database
  }

  mutating func add(_ fact: HistoryFact) throws(StoreError) {
    if fact.name != name || (image == nil && commit.isEmpty) {
      try finishTwin()
      try begin(fact)
    } else if let last = commit.last?.fact, last.sequence != fact.fact.sequence {
      try finishCommit()
    }
    try check(fact)
    commit.append(fact)
  }

  /// Writes what is left, and says up to where the store goes.
  mutating func finish(through end: UInt64) throws(StoreError) {
    try finishTwin()
    try writeSlice()
    let sequence = max(sequence, end)
    let latest = latest
    try database.transaction { _, row in
      row.appliedSequence = sequence
      // Older ones may be of twins that are not here.
      row.resumableFrom = sequence
      row.recordedAt = latest
      try row.detach()
    }
    _ = try database.checkpointLog()
  }

  // MARK: One twin

  private mutating func begin(_ first: HistoryFact) throws(StoreError) {
    let isInOrder = name.lexicographicallyPrecedes(first.name)
    let fault: StoreError? = first.name.withUnsafeBytes { bytes in
      do throws(TwinError) { _ = try TwinName(bytes) } catch { return bad(first, error.message) }
      return isInOrder
        ? nil : bad(first, "\(quoted(bytes)) does not come after the twin before it: a line was moved")
    }
    if let fault { throw fault }
    guard first.keptFrom <= Self.timeMax else { throw bad(first, "kept_from is no time that history can be kept from") }
    name = first.name
    keptFrom = first.keptFrom
    latest = max(latest, keptFrom)
    image = nil
  }

  private func check(_ fact: HistoryFact) throws(StoreError) {
    let (sequence, ordinal) = (fact.fact.sequence, fact.fact.ordinal)
    guard sequence > 0, sequence <= Limits.sequenceMax, ordinal < Limits.factsPerSequenceMax else {
      throw bad(fact, "there can be no fact of sequence \(sequence) and ordinal \(ordinal)")
    }
    let before = commit.last.map { ($0.fact.sequence, Int($0.fact.ordinal)) } ?? (image?.revision ?? 0, .max)
    if before >= (sequence, Int(ordinal)) {
      throw bad(
        fact, "sequence \(sequence), ordinal \(ordinal) does not come after the fact before it: a line was moved")
    }
  }

  private mutating func finishCommit() throws(StoreError) {
    guard let first = commit.first else { return }
    if changeBytes >= limits.bytesMax { try writeChanges() }
    let change: TwinImage
    do throws(RecordFault) {
      change = try withName { (name) throws(RecordFault) in
        try TwinImage.change(name, commit.map(\.fact), isCurrent: commit.map { _ in true })
      }
    } catch {
      throw bad(commit[min(error.offset, commit.count - 1)], error.reason)
    }
    try check(change)
    let after = apply(change, to: image, forgets: false)
    if after.attributeCount > Self.attributesMax {
      throw bad(first, "the twin has more than \(Self.attributesMax) attributes from here on")
    }
    image = after
    sequence = max(sequence, change.revision)
    latest = max(latest, change.recordedAt)
    try addChanges(of: change)
    commit = []
  }

  /// Whether its facts are those of one commit.
  private func check(_ change: TwinImage) throws(StoreError) {
    for (fact, entry) in zip(commit, change.entries) {
      let record = change.attribute(entry)
      guard record.sequence == fact.fact.sequence, record.recordedAt == change.recordedAt,
        equalBytes(record.agent, change.agent.bytes), !record.isDeletion || commit.count == 1
      else { throw bad(fact, "the fact is not of the same commit as the one before it") }
    }
    guard change.recordedAt >= image?.recordedAt ?? 1, change.recordedAt <= Self.timeMax else {
      throw bad(commit[0], "it was recorded before the fact before it, or at a time that no clock shows")
    }
  }

  /// Retention may have dropped some of a commit's facts: those on both sides of a gap are written as two changes.
  private mutating func addChanges(of change: TwinImage) throws(StoreError) {
    let flags = change.entries.map { !$0.flags.contains(.notCurrent) }
    var start = 0
    for end in 1...commit.count {
      if end < commit.count, commit[end].fact.ordinal == commit[end - 1].fact.ordinal + 1 { continue }
      if start == 0 && end == commit.count {
        changes.append(change)
      } else {
        do throws(RecordFault) {
          let part = try withName { (name) throws(RecordFault) in
            try TwinImage.change(name, commit[start..<end].map(\.fact), isCurrent: Array(flags[start..<end]))
          }
          if change.isCreation { part.markCreation() }
          changes.append(part)
        } catch {
          throw bad(commit[start], error.reason)
        }
      }
      start = end
    }
    changeBytes += change.byteCount
  }

  private mutating func finishTwin() throws(StoreError) {
    try finishCommit()
    guard let last = image?.forgetting() else { return }
    slice.append(TwinToWrite(image: last, changes: changes, factsFrom: keptFrom))
    sliceBytes += last.byteCount + changeBytes
    changes = []
    changeBytes = 0
    image = nil
    if slice.count >= limits.twinsMax || sliceBytes >= limits.bytesMax { try writeSlice() }
  }

  // MARK: Writing

  /// Writes the twin's changes so far: it has many, and there are more.
  private mutating func writeChanges() throws(StoreError) {
    guard let image else { return }
    slice.append(TwinToWrite(image: image, changes: changes, factsFrom: keptFrom))
    changes = []
    changeBytes = 0
    try writeSlice()
  }

  private mutating func writeSlice() throws(StoreError) {
    if slice.isEmpty { return }
    try database.write(slice[...])
    slice = []
    sliceBytes = 0
    sliceCount += 1
    if sliceCount % limits.perCopy == 0 { _ = try database.checkpointLog() }
  }

  private func withName<R, E: Error>(_ body: (TwinName) throws(E) -> R) throws(E) -> R {
    try name.withUnsafeBufferPointer { (bytes) throws(E) in
      try body(TwinName(unchecked: UnsafeRawBufferPointer(bytes)))
    }
  }

  private func bad(_ fact: HistoryFact, _ reason: String) -> StoreError {
    .badHistory(path: path, line: fact.line, reason: reason)
  }
}
