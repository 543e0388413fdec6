// Rows that are written in one commit.

import TwinClient

/// A row, or a part of a row that is too large for a batch.
package struct ImportRow: Sendable {
  package let update: TwinUpdate
  package let author: Author
  package let record: Record
  /// Writes of the same round can be made in any order.
  let round: Int

  package init(_ update: TwinUpdate, _ record: Record, author: Author = Author(), round: Int = 0) {
    self.update = update
    self.author = author
    self.record = record
    self.round = round
  }

  fileprivate var space: Substring.UTF8View { Substring(update.name).utf8.prefix { $0 != UInt8(ascii: "/") } }

  /// An upper bound of its size in a request.
  var byteCount: Int { update.changes.reduce(update.name.utf8.count + 32) { $0 + $1.byteCount } }

  /// Splits the changes into rows that fit in a batch. The error names an attribute that is too large.
  package func parts() throws(TextFault) -> [ImportRow] {
    var parts: [ImportRow] = []
    var part = TwinUpdate(update.name, [])
    var bytes = 0
    for change in update.changes {
      let count = change.byteCount
      if count + 512 > ImportBatch.bytesMax { throw TextFault("\(change.attribute) is too large for a batch") }
      if part.changes.count == ImportBatch.changesMax || bytes + count + 512 > ImportBatch.bytesMax {
        parts.append(ImportRow(part, record, author: author, round: round))
        part.changes = []
        bytes = 0
      }
      part.changes.append(change)
      bytes += count
    }
    return parts + [ImportRow(part, record, author: author, round: round)]
  }
}

/// A batch with one agent and one purpose.
package struct ImportBatch: Sendable {
  /// The daemon's limit for BatchUpdateTwins.
  package static let twinsMax = 256
  static let changesMax = 1_000
  static let bytesMax = 1_000 << 10

  package private(set) var rows: [ImportRow] = []
  package private(set) var names: Set<String> = []
  private let twinsMax: Int
  private var changeCount = 0
  private var byteCount = 0

  package init(twinsMax: Int = ImportBatch.twinsMax) { self.twinsMax = twinsMax }

  package init(_ rows: some Sequence<ImportRow>) {
    twinsMax = Self.twinsMax
    self.rows = Array(rows)
    names = Set(rows.map(\.update.name))
  }

  package var isEmpty: Bool { rows.isEmpty }

  package var author: Author { rows.first?.author ?? Author() }

  /// Adds a part. False if it must go into a later batch: there is no room, the twin is already in this one, or it is
  /// in another space, which an idempotency key does not allow.
  package mutating func add(_ row: ImportRow) -> Bool {
    guard
      rows.isEmpty
        || rows.count < twinsMax && changeCount + row.update.changes.count <= Self.changesMax
          && byteCount + row.byteCount <= Self.bytesMax && !names.contains(row.update.name)
          && row.space.elementsEqual(rows[0].space)
    else { return false }
    rows.append(row)
    names.insert(row.update.name)
    changeCount += row.update.changes.count
    byteCount += row.byteCount
    return true
  }
}

extension Change {
  /// An upper bound of its size in a request.
  fileprivate var byteCount: Int {
    let value: Int =
      switch operation {
      case .set(let value), .increment(let value): value.byteCount
      case .remove: 0
      }
    return attribute.utf8.count + (evidence?.utf8.count ?? 0) + value + 64
  }
}

extension Value {
  fileprivate var byteCount: Int {
    switch self {
    case .scalar(let scalar): scalar.byteCount
    case .list(let scalars): scalars.reduce(8) { $0 + $1.byteCount }
    case .json(let text): text.utf8.count
    }
  }
}

extension Scalar {
  fileprivate var byteCount: Int {
    switch self {
    case .string(let text): text.utf8.count + 12
    case .bytes(let bytes), .unknown(let bytes): bytes.count + 12
    default: 16
    }
  }
}
