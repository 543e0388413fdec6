// The batches being filled, one for each agent and purpose, since rows of an export can alternate between agents.
//
// Writes of a twin are sent in the order of the file, and of the rounds of a row.

package struct ImportBatches {
  private let twinsMax: Int
  private let openMax: Int
  /// The oldest one comes first.
  private var open: [ImportBatch] = []

  /// - Parameters:
  ///   - twinsMax: the most twins in a batch.
  ///   - openMax: the most batches at a time; 1: all rows are sent in the order of the file.
  package init(twinsMax: Int, openMax: Int) {
    self.twinsMax = twinsMax
    self.openMax = openMax
  }

  /// Adds a row. Returns batches that must be sent before anything that is added later.
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

  /// The remaining batches.
  package mutating func takeAll() -> [ImportBatch] { take { _ in true } }

  private mutating func take(_ isWanted: (ImportBatch) -> Bool) -> [ImportBatch] {
    let taken = open.filter(isWanted)
    open.removeAll(where: isWanted)
    return taken
  }
}

extension ImportBatch {
  /// Whether it has a write to the row's twin that must come before the row.
  fileprivate func mustPrecede(_ row: ImportRow) -> Bool {
    names.contains(row.update.name)
      && rows.contains {
        $0.update.name == row.update.name && !($0.record.line == row.record.line && $0.round == row.round)
      }
  }
}
