// Goes through all segments in order and says what does not belong together. Recovery refuses at the first fault,
// verification collects them, dropping cuts there: all three see the same.

/// A place that cannot be what was written.
struct JournalFault: Equatable, Sendable {
  var segment: UInt64
  var offset: Int
  var reason: String
  /// The sequence up to which everything is there: in front of it, or in the database.
  var keeps: UInt64
}

extension JournalFolder {
  /// - Parameters:
  ///   - applied: the database holds every commit up to it.
  ///   - body: gets the good records of every segment.
  ///   - onFault: comes before the records of a segment that does not fit to the one before, after those of one that
  ///     is bad inside.
  ///   - onSegment: comes last.
  /// - Returns: whether there is any segment.
  func walk(
    applied: UInt64, _ body: (borrowing JournalRecord) throws(StoreError) -> Void,
    onFault: (JournalFault) throws(StoreError) -> Void,
    onSegment: (SegmentHeader, SegmentScan, SegmentInfo) throws(StoreError) -> Void
  ) throws(StoreError) -> Bool {
    var readers: [SegmentReader] = []
    for number in try numbers() { readers.append(try SegmentReader(self, number)) }
    var previous: SegmentInfo?
    for (index, reader) in readers.enumerated() {
      let next = index + 1 < readers.count ? readers[index + 1] : nil
      if let reason = reader.fault(after: previous, applied: applied) {
        let keeps = max(applied, previous?.lastSequence ?? 0)
        try onFault(JournalFault(segment: reader.number, offset: 0, reason: reason, keeps: keeps))
      }
      // A next one with a bad header says nothing about this one; it is a fault in its turn.
      let end = next.flatMap { $0.headerFault == nil ? Int($0.header.previousEnd) : nil }
      let scan = try reader.scan(through: end, body)
      if let reason = scan.fault, reader.headerFault == nil, next == nil || end != nil {
        let keeps = max(applied, scan.lastSequence)
        try onFault(JournalFault(segment: reader.number, offset: scan.end, reason: reason, keeps: keeps))
      }
      var info = SegmentInfo(
        number: reader.number, baseSequence: reader.header.baseSequence, lastSequence: scan.lastSequence,
        end: scan.end, fileBytes: reader.size)
      // One fault is enough: where this one ends is not known, so the next is believed.
      if reader.headerFault != nil { info.lastSequence = next?.header.previousLast ?? 0 }
      try onSegment(reader.header, scan, info)
      previous = info
    }
    return previous != nil
  }

  /// Why the journal cannot end with this segment: what the database holds was durable in the journal before.
  func fault(ending last: SegmentInfo, applied: UInt64) -> JournalFault? {
    if last.lastSequence >= applied { return nil }
    let reason = "the journal ends at sequence \(last.lastSequence) and the database holds \(applied)"
    return JournalFault(segment: last.number, offset: last.end, reason: reason, keeps: applied)
  }
}

extension SegmentReader {
  /// Why this segment cannot follow the one before it, or what the database has applied when there is none.
  fileprivate func fault(after previous: SegmentInfo?, applied: UInt64) -> String? {
    if let headerFault { return headerFault }
    guard let previous else {
      if header.previousLast <= applied { return nil }
      return "it begins after sequence \(header.previousLast) and the database holds \(applied): segments before it "
        + "are missing"
    }
    if number != previous.number + 1 { return "segment \(previous.number + 1) is missing before it" }
    if header.previousLast != previous.lastSequence {
      return "it follows sequence \(header.previousLast) and the segment before it ends at \(previous.lastSequence)"
    }
    return nil
  }
}
