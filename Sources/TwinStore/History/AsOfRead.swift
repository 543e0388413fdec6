// A read of a twin as of another time, step by step: a page of its history each, so that others have their turn
// between.
//
// Promises: an answer is given only when all facts were read and their digest is the one that was written. Between
// steps it holds one fact for each attribute that could count (`AsOfFold`), at most `asOfBytesMax`.

import TwinCore

package struct AsOfRead: Sendable {
  package enum Answer: Sendable {
    /// The twin at that time; what was read is complete up to the sequence.
    case image(TwinImage, sequence: UInt64)
    /// It never existed.
    case absent
    case refused(TwinError)
  }

  private var cursor: HistoryCursor
  private var fold: AsOfFold
  private let start: AsOfFold
  private let validAt: Int64
  private let knownAt: Int64
  private let limits: HistoryLimits
  private var triesLeft = Limits.historyTriesMax

  /// - Parameters:
  ///   - validAt: what was true then, microseconds since the epoch.
  ///   - knownAt: as it was understood then.
  ///   - mask: other attributes are left out of the image.
  package init(
    _ name: TwinName, validAt: Int64, knownAt: Int64, mask: AttributeMask = .all,
    limits: HistoryLimits = HistoryLimits()
  ) {
    cursor = HistoryCursor(name)
    start = AsOfFold(validAt: validAt, knownAt: knownAt, mask: mask)
    fold = start
    self.validAt = validAt
    self.knownAt = knownAt
    self.limits = limits
  }

  /// Bytes that it holds between two steps.
  package var byteCount: Int { fold.byteCount }

  /// Reads the next page; nil = there are more. For a thread that may block.
  package mutating func step(_ store: Store) throws(StoreError) -> Answer? {
    switch try store.read(&cursor, limits: limits) {
    case .absent:
      return .absent
    case .trimmed:
      fold = start
      triesLeft -= 1
      return triesLeft > 0 ? nil : .refused(.trimmed(cursor.name))
    case .part(let facts):
      return try add(facts, store)
    case .last(let facts, let sequence):
      if let refused = try add(facts, store) { return refused }
      return try answer(sequence, store)
    }
  }

  private mutating func add(_ facts: [StoredFact], _ store: Store) throws(StoreError) -> Answer? {
    if min(knownAt, validAt) < cursor.from {
      let from = cursor.from
      return .refused(
        withName { name in
          TwinError(
            .outOfRange, "the history of \(name) before \(instant(from)) is not kept: ask for that time or a later one")
        })
    }
    do throws(RecordFault) {
      for fact in facts { try fold.add(fact) }
    } catch {
      throw damaged(error, store)
    }
    guard fold.byteCount > Limits.asOfBytesMax else { return nil }
    return .refused(
      withName { name in
        .limit(
          .resourceExhausted,
          "\(name) as of valid_at \(instant(validAt)), known_at \(instant(knownAt)), before all its history is read,",
          "asOfBytesMax", maximum: Limits.asOfBytesMax, actual: fold.byteCount)
      })
  }

  private func answer(_ sequence: UInt64, _ store: Store) throws(StoreError) -> Answer {
    do throws(RecordFault) {
      if let image = try withName({ (name) throws(RecordFault) in try fold.image(name) }) {
        return .image(image, sequence: sequence)
      }
    } catch {
      throw damaged(error, store)
    }
    return .refused(
      withName { name in
        TwinError(
          .notFound,
          "\(name) did not exist at valid_at \(instant(validAt)), as of known_at \(instant(knownAt))")
      })
  }

  private func damaged(_ fault: RecordFault, _ store: Store) -> StoreError {
    withName { store.database.damagedTwin(cursor.twin, "\($0)", "its fact \(fault.offset): \(fault.reason)") }
  }

  private func withName<R, E: Error>(_ body: (TwinName) throws(E) -> R) throws(E) -> R {
    try cursor.name.withUnsafeBufferPointer { (bytes) throws(E) in
      try body(TwinName(unchecked: UnsafeRawBufferPointer(bytes)))
    }
  }
}

extension TwinError {
  /// Retention dropped facts while they were read.
  package static func trimmed(_ name: [UInt8]) -> TwinError {
    let name = name.withUnsafeBytes { "\(TwinName(unchecked: $0))" }
    return TwinError(.aborted, "retention dropped old facts of \(name) during the read: read again")
  }
}
