// Apply: a twin and the facts of one commit → the twin afterwards, and what the commit did to it. Pure; the commit
// section calls it, and so does everything that replays commits.
//
// Promises: cannot fail on facts that decide made. Facts are in byte order of their attributes.

package struct AppliedTwin {
  package let image: TwinImage
  /// An image of the change: its records are the fields `attributes` and `removed` of a twind.v1.TwinChange.
  package let change: TwinImage
}

package func apply(
  _ facts: ArraySlice<Fact>, to image: TwinImage?, named name: TwinName, as commit: Commit
) -> AppliedTwin {
  if case .deletion? = facts.first?.change {
    let deleted = newImage(name, commit, isDeleted: true, entryCount: 0, recordsLength: 0)
    let change = newImage(name, commit, isDeleted: true, entryCount: 0, recordsLength: 0)
    return AppliedTwin(image: TwinImage.Writer(deleted).finish(), change: TwinImage.Writer(change).finish())
  }
  return AppliedTwin(
    image: merge(facts, into: image, named: name, as: commit), change: change(facts, named: name, as: commit))
}

private func merge(
  _ facts: ArraySlice<Fact>, into image: TwinImage?, named name: TwinName, as commit: Commit
) -> TwinImage {
  var count = 0
  var bytes = 0
  forEachMerged(facts, image) { part in
    count += 1
    switch part {
    case .kept(let entry): bytes += Int(entry.length)
    case .set(let index): bytes += facts[index].recordSize
    }
  }
  var writer = TwinImage.Writer(newImage(name, commit, isDeleted: false, entryCount: count, recordsLength: bytes))
  forEachMerged(facts, image) { part in
    switch part {
    case .kept(let entry): writer.copy(entry, of: image!)
    case .set(let index): writer.encode(facts[index], of: commit)
    }
  }
  return writer.finish()
}

private func change(_ facts: ArraySlice<Fact>, named name: TwinName, as commit: Commit) -> TwinImage {
  let bytes = facts.reduce(0) { $0 + $1.recordSize }
  var writer = TwinImage.Writer(
    newImage(name, commit, isDeleted: false, entryCount: facts.count, recordsLength: bytes))
  for fact in facts { writer.encode(fact, of: commit) }
  return writer.finish()
}

private enum Merged {
  /// An attribute that no fact touches.
  case kept(TwinImage.Entry)
  /// The fact with this index sets one.
  case set(Int)
}

/// Walks the attributes and the facts together, in name order; what is removed is passed over.
private func forEachMerged(_ facts: ArraySlice<Fact>, _ image: TwinImage?, _ body: (Merged) -> Void) {
  var next = facts.startIndex
  func takeFact() {
    if facts[next].isSet { body(.set(next)) }
    next += 1
  }
  if let image {
    for entry in image.entries {
      let name = image.name(entry)
      var order = 1
      while next < facts.endIndex {
        order = compareBytes(facts[next].attribute.bytes, name)
        if order > 0 { break }
        takeFact()
        if order == 0 { break }
      }
      if order != 0 { body(.kept(entry)) }
    }
  }
  while next < facts.endIndex { takeFact() }
}

private func newImage(
  _ name: TwinName, _ commit: Commit, isDeleted: Bool, entryCount: Int, recordsLength: Int
) -> TwinImage {
  TwinImage(
    name: name.bytes, agent: commit.agent.bytes, revision: commit.sequence, recordedAt: commit.recordedAt,
    isDeleted: isDeleted, entryCount: entryCount, recordsLength: recordsLength)
}
