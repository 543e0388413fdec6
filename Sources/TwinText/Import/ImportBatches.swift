// Batches that are being filled, one for each author: the rows of an export take turns among its agents.
//
// Promises: writes of one twin leave in the order of the file, and of the rounds of a row.

package struct ImportBatches {
  private let twinsMax: Int
  private let openMax: Int
  /// The one that was begun first comes first.
  private var open: [ImportBatch] = []

  /// - Parameters:
  ///   - twinsMax: of one batch.
  ///   - openMax: at a time; 1 = all rows leave in the order of the file.
  package init(twinsMax: Int, openMax: Int) {
    self.twinsMax = twinsMax
    self.openMax = openMax
  }

  /// Adds a row. Returns batches that must be sent before what is added from here on.
  package mutating func add(_ row: ImportRow) -> [ImportBatch] {
    var ready = take { $0.author != row.author && $0.mustPrecede(row) }
    if let index = open.firstIndex(where: { $0.author == row.author }) {
      if open[index].add(row) { return ready }
      ready.append(open.remove(at: index))
    }
    if open.count >= openMax { ready.append(open.removeFirst()) }
    var batch = ImportBatch(twinsMax: twinsMax)
    _ = batch.add(row)
    open.append(batch)
    return ready
  }

  /// All that are left.
  package mutating func takeAll() -> [ImportBatch] { take { _ in true } }

  private mutating func take(_ isWanted: (ImportBatch) -> Bool) -> [ImportBatch] {
    let taken = open.filter(isWanted)
    open.removeAll(where: isWanted)
    return taken
  }
}

extension ImportBatch {
  /// Whether it has a write of the row's twin that is to be done before the row.
  fileprivate func mustPrecede(_ row: ImportRow) -> Bool {
    names.contains(row.update.name)
      && rows.contains {
        $0.update.name == row.update.name && !($0.record.line == row.record.line && $0.round == row.round)
      }
  }
}
