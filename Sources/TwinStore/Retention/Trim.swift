// Drops the facts of one twin that no read at or after its horizon needs.
//
// Needed are those that make the twin at the horizon, and pending there, since they or their order can still count; and
// the last one, which says of which revision that twin is. Nothing is dropped unless what stays makes the same twin.

import GRDB
import TwinCore

/// What one look at a twin's facts found to drop.
struct Trim {
  /// Microseconds since the epoch: reads at or after it, on both axes, stay as they are.
  let horizon: Int64
  let dropped: [FactRow]

  /// - Parameters:
  ///   - facts: the twin's oldest, each commit whole or at the end.
  ///   - horizon: as the rule has it.
  ///   - isAll: there are no more.
  /// - Returns: nil when nothing can be dropped.
  static func plan(_ name: TwinName, _ facts: [FactRow], horizon: Int64, isAll: Bool) -> Trim? {
    // The commit of the last one may have more.
    let horizon = isAll ? horizon : min(horizon, (facts.last?.fact.recordedAt ?? .min).subtractingClamped(1))
    let old = Array(facts.prefix { $0.fact.recordedAt <= horizon })
    guard old.count > 1, let image = fold(name, old) else { return nil }
    let needed = Self.facts(of: image.derived(at: horizon))
    var kept: [FactRow] = []
    var dropped: [FactRow] = []
    for (index, row) in old.enumerated() {
      if index == old.count - 1 || needed.contains(FactKey(row)) { kept.append(row) } else { dropped.append(row) }
    }
    guard !dropped.isEmpty, let again = fold(name, kept), image.headDifference(from: again) == nil,
      image.derived(at: horizon).holdsSame(as: again.derived(at: horizon))
    else { return nil }
    return Trim(horizon: horizon, dropped: dropped)
  }

  private static func fold(_ name: TwinName, _ facts: [FactRow]) -> TwinImage? {
    var fold = TwinFold(name)
    // Flags of facts before the horizon may speak of what was dropped before.
    return (try? fold.add(all: facts, from: .max)) == nil ? nil : fold.image
  }

  private static func facts(of image: TwinImage) -> Set<FactKey> {
    var keys: Set<FactKey> = []
    for entries in [image.entries, image.pendingEntries] {
      for entry in entries { keys.insert(FactKey(image.attribute(entry))) }
    }
    return keys
  }
}

/// A commit has one fact at most about an attribute of a twin.
private struct FactKey: Hashable {
  let sequence: UInt64
  let attribute: [UInt8]

  init(_ record: AttributeRecord) {
    sequence = record.sequence
    attribute = [UInt8](record.name)
  }

  init(_ row: FactRow) {
    sequence = row.fact.sequence
    attribute = row.fact.message.withUnsafeBytes { bytes in (try? AttributeRecord(bytes)).map { [UInt8]($0.name) } ?? []
    }
  }
}

extension Database {
  /// Trims one twin, if it is due, within a transaction. Returns how many of its facts were looked at.
  ///
  /// - Parameter factsMax: are looked at in one go; the rest in a later round.
  func trim(
    _ id: Int64, _ retention: Retention, now: TrimTimes, isGrown: Bool, factsMax: Int, _ db: GRDB.Database,
    _ checkpoint: inout CheckpointRow
  ) throws -> Int {
    let find = try db.cachedStatement(sql: "SELECT \(StoreTable.twins.columnList) FROM twins WHERE id = ?")
    guard let found = try Row.fetchOne(find, arguments: [id]).map(checked) else { return 0 }
    let rule = retention.rule(for: found.image.name.space)
    guard rule.isDue(found, now: now, isGrown: isGrown), let horizon = try horizon(of: found, rule, now: now, db),
      horizon > found.factsFrom
    else { return 0 }
    let facts = try oldest(factsMax, of: found, db)
    guard let trim = Trim.plan(found.image.name, facts, horizon: horizon, isAll: Int64(facts.count) == found.factCount),
      trim.horizon > found.factsFrom
    else { return facts.count }
    var next = found
    next.factsFrom = trim.horizon
    let delete = try db.cachedStatement(sql: "DELETE FROM facts WHERE id = ?")
    for row in trim.dropped {
      try delete.execute(arguments: [FactRow.id(sequence: row.fact.sequence, ordinal: Int(row.fact.ordinal))])
      next.factDigest ^= row.checksum
      checkpoint[.facts].remove(row.checksum)
      checkpoint.resumableFrom = max(checkpoint.resumableFrom, row.fact.sequence)
    }
    next.factCount -= Int64(trim.dropped.count)
    // The horizon stays in the past.
    checkpoint.recordedAt = max(checkpoint.recordedAt, now.present)
    try found.replace(next, db, &checkpoint[.twins])
    return facts.count
  }

  /// Facts recorded at it or before may go; nil = none.
  private func horizon(
    of twin: TwinRow, _ rule: Retention.Rule, now: TrimTimes, _ db: GRDB.Database
  ) throws -> Int64? {
    switch rule {
    case .all: return nil
    case .age(let age): return now.byAge?.subtractingClamped(age)
    case .newest(let count):
      let find = try db.cachedStatement(
        sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE twin = ? ORDER BY id DESC LIMIT 1 OFFSET ?")
      guard let row = try Row.fetchOne(find, arguments: [twin.id, count - 1]) else { return nil }
      return try checkedFact(row).fact.recordedAt.subtractingClamped(1)
    }
  }

  private func oldest(_ count: Int, of twin: TwinRow, _ db: GRDB.Database) throws -> [FactRow] {
    let select = try db.cachedStatement(
      sql: "SELECT \(StoreTable.facts.columnList) FROM facts WHERE twin = ? ORDER BY id LIMIT ?")
    return try Row.fetchAll(select, arguments: [twin.id, count]).map(checkedFact)
  }
}
