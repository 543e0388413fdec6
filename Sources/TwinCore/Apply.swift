// Apply: a twin and the image of a change → the twin afterwards. Pure; the commit section calls it, and so does
// everything that replays commits.
//
// Promises: works on encoded records only and cannot fail on a change that decide made or that was decoded. The same
// change on the same twin makes the same bytes, whether or not the twin was derived anew in between.

/// Marks the entries of `change` that do not hold at its time as `.notCurrent`, and the change itself when it makes the
/// twin; nobody else may hold it yet.
///
/// - Parameters:
///   - recalled: of the removals that the image has forgotten those that the change needs.
///   - forgets: removals beyond the limits are forgotten; false = all are kept, however many there are.
///
/// A twin's first commit mostly says what holds from now on for good: then the change's image is the twin's, and memory has
/// it once.
package func apply(
  _ change: TwinImage, to image: TwinImage?, recalling recalled: TwinImage? = nil, forgets: Bool = true
) -> TwinImage {
  if !change.isDeleted && image?.isDeleted ?? true { change.markCreation() }
  if image == nil && change.isWholeTwin { return change }
  var merge = Merge(image, change, recalled, now: change.recordedAt)
  if !change.isDeleted {
    merge.run()
    if forgets { merge.forget() }
  }
  return merge.image(headedAs: change)
}

extension TwinImage {
  /// The twin as time alone has made it: what counts at `now`, without what has ended. `now` is not before the time
  /// that this image was derived for. Revision and recorded time stay; the dirty mark is the shard's to carry over.
  package func derived(at now: Int64) -> TwinImage {
    var merge = Merge(self, nil, nil, now: now)
    merge.run()
    let image = merge.image(headedAs: self)
    image.storage.header.isTurned = isTurned || nextChangeTime <= now
    return image
  }
}

extension TwinImage {
  /// Without the oldest removals beyond the limits.
  package func forgetting() -> TwinImage {
    var merge = Merge(self, nil, nil, now: recordedAt)
    merge.run()
    merge.forget()
    return merge.image(headedAs: self)
  }

  /// Of a change: every fact holds from its commit on for good.
  fileprivate var isWholeTwin: Bool {
    !isDeleted && entries.allSatisfy { $0.flags.isEmpty && attribute($0).validity.from <= recordedAt }
  }
}

/// Walks a twin's current and pending records and the change's together, attribute by attribute.
private struct Merge {
  /// One record of the twin, of what it has forgotten, or of the change.
  private struct Piece {
    let entry: TwinImage.Entry
    let source: TwinImage
    /// Its place in the change; nil = it is not of the change.
    var changeIndex: Int?
    /// A removal that holds for good, and all that is kept of its attribute.
    var isForgettable = false
  }

  private let old: TwinImage?
  private let change: TwinImage?
  private let recalled: TwinImage?
  private let now: Int64
  private var forgottenThrough: Int64
  private var current: [Piece] = []
  private var pending: [Piece] = []
  private var nextChangeTime = Int64.max
  /// Of the attribute at hand, when it takes more than a look.
  private var pieces: [Piece] = []
  private var timeline = Timeline()

  init(_ old: TwinImage?, _ change: TwinImage?, _ recalled: TwinImage?, now: Int64) {
    self.old = old
    self.change = change
    self.recalled = recalled
    self.now = now
    // Of a twin that is deleted nothing older counts any more.
    forgottenThrough = change?.isDeleted == true ? .min : old?.forgottenThrough ?? .min
  }

  mutating func run() {
    let currents = old?.entries ?? UnsafeBufferPointer(start: nil, count: 0)
    let pendings = old?.pendingEntries ?? UnsafeBufferPointer(start: nil, count: 0)
    let changes = change?.entries ?? UnsafeBufferPointer(start: nil, count: 0)
    current.reserveCapacity(currents.count + changes.count)
    var (i, j, k) = (0, 0, 0)
    while i < currents.count || j < pendings.count || k < changes.count {
      // The first name of the three, and which of them have it.
      var name: UnsafeRawBufferPointer?
      var (hasCurrent, hasPending, hasChange) = (false, false, false)
      if i < currents.count {
        name = old!.name(currents[i])
        hasCurrent = true
      }
      if j < pendings.count {
        let other = old!.name(pendings[j])
        let order = name.map { compareBytes(other, $0) } ?? -1
        hasPending = order <= 0
        if order < 0 { (name, hasCurrent) = (other, false) }
      }
      if k < changes.count {
        let other = change!.name(changes[k])
        let order = name.map { compareBytes(other, $0) } ?? -1
        hasChange = order <= 0
        if order < 0 { (name, hasCurrent, hasPending) = (other, false, false) }
      }
      let present = hasCurrent ? currents[i] : nil
      let changed = hasChange ? k : nil
      var end = j
      if hasPending, let name {
        repeat { end += 1 } while end < pendings.count && equalBytes(old!.name(pendings[end]), name)
      }
      take(present, UnsafeBufferPointer(rebasing: pendings[j..<end]), changed)
      if hasCurrent { i += 1 }
      if hasChange { k += 1 }
      j = end
    }
  }

  /// One attribute: its current record, its pending ones and its change, where there are any.
  private mutating func take(
    _ present: TwinImage.Entry?, _ pendings: UnsafeBufferPointer<TwinImage.Entry>, _ changed: Int?
  ) {
    let recollection = changed.flatMap { recollected(change!.name(change!.entries[$0])) }
    if pendings.isEmpty && recollection == nil {
      if let changed {
        if replaces(changed, present) { return keepAlone(changed) }
      } else if let present, !present.flags.contains(.bounded) {
        return current.append(Piece(entry: present, source: old!))
      }
    }
    pieces.removeAll(keepingCapacity: true)
    for entry in pendings { pieces.append(Piece(entry: entry, source: old!)) }
    // In the order of recording, in which the pending ones are.
    if let present { insert(Piece(entry: present, source: old!)) }
    if let recollection { insert(recollection) }
    if let changed { pieces.append(Piece(entry: change!.entries[changed], source: change!, changeIndex: changed)) }
    judge()
  }

  private mutating func insert(_ piece: Piece) {
    let sequence = record(piece).sequence
    pieces.insert(piece, at: pieces.firstIndex { record($0).sequence > sequence } ?? pieces.count)
  }

  private func recollected(_ name: UnsafeRawBufferPointer) -> Piece? {
    guard let recalled else { return nil }
    let entry = recalled.pendingEntries.first { equalBytes(recalled.name($0), name) }
    return entry.map { Piece(entry: $0, source: recalled) }
  }

  /// Whether the change holds from now on for good, over a present record that does too: the usual case.
  private func replaces(_ changed: Int, _ present: TwinImage.Entry?) -> Bool {
    let entry = change!.entries[changed]
    if entry.flags.contains(.bounded) || present?.flags.contains(.bounded) == true { return false }
    let validity = change!.attribute(entry).validity
    guard validity.from <= now else { return false }
    guard let present else { return true }
    return validity.replaces(old!.attribute(present).validity)
  }

  private mutating func keepAlone(_ changed: Int) {
    var piece = Piece(entry: change!.entries[changed], source: change!, changeIndex: changed)
    piece.isForgettable = piece.entry.flags.contains(.removal)
    if piece.isForgettable { pending.append(piece) } else { current.append(piece) }
  }

  /// Sorts the pieces at hand, in the order of their recording, into current, pending and done with.
  private mutating func judge() {
    timeline.removeAll()
    for piece in pieces { timeline.append(record(piece).validity) }
    let outlook = timeline.outlook(from: now)
    nextChangeTime = min(nextChangeTime, outlook.nextChangeTime)
    let isAlone = outlook.isKept.count(where: \.self) == 1
    for (index, piece) in pieces.enumerated() {
      let isWinner = index == outlook.winner
      if !isWinner, let changed = piece.changeIndex { change!.markNotCurrent(changed) }
      if isWinner && !piece.entry.flags.contains(.removal) {
        current.append(piece)
      } else if outlook.isKept[index] {
        pending.append(piece)
        pending[pending.count - 1].isForgettable = isAlone && isWinner && !piece.entry.flags.contains(.bounded)
      }
    }
  }

  private func record(_ piece: Piece) -> AttributeRecord { piece.source.attribute(piece.entry) }

  // MARK: Forgetting

  /// Forgets the oldest removals beyond the limits.
  mutating func forget() {
    var count = pending.count
    var byteCount = current.reduce(0) { $0 + Int($1.entry.length) } + pending.reduce(0) { $0 + Int($1.entry.length) }
    guard isTooMuch(count, byteCount) else { return }
    let oldest = pending.indices.filter { pending[$0].isForgettable }
      .map { (index: $0, from: record(pending[$0]).validFrom) }
      .sorted { ($0.from, $0.index) < ($1.from, $1.index) }
    var forgotten: Set<Int> = []
    for (index, from) in oldest {
      if !isTooMuch(count, byteCount) { break }
      forgotten.insert(index)
      forgottenThrough = max(forgottenThrough, from)
      count -= 1
      byteCount -= Int(pending[index].entry.length)
    }
    pending = pending.indices.filter { !forgotten.contains($0) }.map { pending[$0] }
  }

  private func isTooMuch(_ count: Int, _ byteCount: Int) -> Bool {
    count > Limits.pendingFactsPerTwinMax || byteCount > Limits.twinBytesMax
      || current.count + count > Limits.attributesPerTwinMax + Limits.pendingFactsPerTwinMax
  }

  /// What was found, as the image that follows.
  func image(headedAs head: TwinImage) -> TwinImage {
    let contents = TwinImage.Contents(
      entryCount: current.count, recordsLength: current.reduce(0) { $0 + Int($1.entry.length) },
      pendingCount: pending.count, pendingLength: pending.reduce(0) { $0 + Int($1.entry.length) })
    var writer = TwinImage.Writer(
      TwinImage(
        name: head.name.bytes, agent: head.agent.bytes, revision: head.revision, recordedAt: head.recordedAt,
        isDeleted: head.isDeleted, contents: contents))
    for part in [current, pending] {
      for piece in part {
        var entry = piece.entry
        entry.flags.remove(.notCurrent)
        writer.copy(piece.source.record(entry), entry)
      }
    }
    let image = writer.finish(nextChangeTime: nextChangeTime)
    image.markForgotten(through: forgottenThrough)
    return image
  }
}
