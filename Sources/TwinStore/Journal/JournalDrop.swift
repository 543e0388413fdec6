// Gives up the end of a journal, for `twind recover --drop-after`: the way out when recovery refuses damage.
//
// Promises: nothing is destroyed, what is dropped stays beside it as `*.dropped`; afterwards recovery finds a sound
// journal up to the given sequence, or up to the first damage before it. Sequences that were dropped are not issued
// again. A crash on the way leaves a journal that can be dropped again.

import Glibc
import TwinCore

/// What was given up.
package struct JournalDropReport: Equatable, Sendable {
  /// The journal, or the database where it has more, now ends here.
  package var lastSequence: UInt64
  package var bytesDropped = 0
  /// The files that hold it.
  package var files: [String] = []
}

/// Where to cut, and what must not be used again.
private struct Cut {
  /// The segment that is cut; those after it go whole. Nil when all go.
  var segment: SegmentInfo?
  var lastSequence: UInt64
  /// The journal really is to be cut somewhere.
  var isNeeded = false
  var freeSequence: UInt64
  var newest: UInt64 = 0

  /// First place wins.
  mutating func cut(_ info: SegmentInfo?, last: UInt64) {
    if isNeeded { return }
    isNeeded = true
    segment = info
    lastSequence = last
  }
}

extension Journal {
  /// - Parameters:
  ///   - sequence: everything after it is dropped.
  ///   - appliedSequence: the database holds every commit up to it.
  /// - Throws: `undroppable` when the database holds more; `missing` when there is no journal; `newerFormat`,
  ///   `noSpace`, `io`.
  package static func drop(
    after sequence: UInt64, dataDirectory: String, fileSystem: any FileSystem, appliedSequence: UInt64,
    options: JournalOptions = JournalOptions(), randomness: () -> UInt64
  ) throws(StoreError) -> JournalDropReport {
    if sequence < appliedSequence { throw .undroppable(sequence: sequence, applied: appliedSequence) }
    let folder = JournalFolder(dataDirectory: dataDirectory, fileSystem: fileSystem)
    var cut = try folder.findCut(after: sequence, applied: appliedSequence)
    if !cut.isNeeded { return JournalDropReport(lastSequence: cut.lastSequence) }
    if cut.lastSequence < appliedSequence {
      // All that is left is in the database, and a chain must not end before that: begin a new one.
      cut.segment = nil
      cut.lastSequence = appliedSequence
    }
    let preparation = SegmentPreparation(folder, byteCount: options.segmentBytes)
    preparation.run()
    guard let outcome = preparation.outcome else { preconditionFailure("run() leaves an outcome") }
    let file = try outcome.get()
    var report = JournalDropReport(lastSequence: cut.lastSequence)
    if let segment = cut.segment { try folder.keepTail(of: segment, &report) }
    try folder.setAside(after: cut.segment?.number ?? 0, &report)
    let header = SegmentHeader(
      number: (cut.segment?.number ?? cut.newest) + 1, baseSequence: cut.freeSequence,
      previousLast: cut.lastSequence, previousEnd: UInt32(cut.segment?.end ?? 0), size: UInt32(options.segmentBytes),
      salt: randomness())
    let directory = try folder.open()
    try fileSystem.named(folder.path(of: header.number), "begin") { () throws(Errno) in
      try folder.take(file, header, directory)
    }
    if let segment = cut.segment { try folder.truncate(segment) }
    return report
  }
}

extension JournalFolder {
  fileprivate func findCut(after sequence: UInt64, applied: UInt64) throws(StoreError) -> Cut {
    var cut = Cut(lastSequence: applied, freeSequence: applied + 1)
    var previous: SegmentInfo?
    var last: UInt64?
    let isThere = try walk(
      applied: applied,
      { (record) throws(StoreError) in
        cut.freeSequence = max(cut.freeSequence, record.sequence + 1)
        if record.sequence > sequence {
          let kept = last ?? previous?.lastSequence ?? applied
          cut.cut(
            SegmentInfo(
              number: record.segment, baseSequence: 0, lastSequence: kept, end: record.offset, fileBytes: 0),
            last: kept)
        }
        last = record.sequence
      },
      onFault: { (fault) throws(StoreError) in
        if fault.offset == 0 {
          cut.cut(previous, last: previous?.lastSequence ?? 0)
        } else {
          let kept = last ?? previous?.lastSequence ?? 0
          cut.cut(
            SegmentInfo(
              number: fault.segment, baseSequence: 0, lastSequence: kept, end: fault.offset, fileBytes: 0),
            last: kept)
        }
      },
      onSegment: { (header, scan, info) throws(StoreError) in
        cut.freeSequence = max(cut.freeSequence, header.baseSequence, scan.tailSequence + 1)
        // Without its header nothing is known of a segment but how many commits there can be, perhaps after a jump.
        if header.number == 0 {
          cut.freeSequence += Limits.sequenceReserveMax + UInt64(info.fileBytes / RecordHeader.byteCount)
        }
        cut.newest = info.number
        previous = info
        last = nil
        if !cut.isNeeded { cut.lastSequence = info.lastSequence }
      })
    if !isThere { throw missing(applied: applied) }
    if let previous, fault(ending: previous, applied: applied) != nil { cut.cut(previous, last: previous.lastSequence) }
    return cut
  }

  /// Copies what follows the end of a segment's good records.
  fileprivate func keepTail(of segment: SegmentInfo, _ report: inout JournalDropReport) throws(StoreError) {
    let path = path(of: segment.number)
    let target = try freeName(path)
    let file = try fileSystem.opened(path, .read)
    let size = try fileSystem.named(path, "look at") { () throws(Errno) in try file.size() }
    if size <= segment.end { return }
    let copy = try fileSystem.opened(target, .create)
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 8)
    defer { piece.deallocate() }
    var offset = segment.end
    while offset < size {
      let count = try fileSystem.named(path, "read") { () throws(Errno) in try file.readAll(into: piece, at: offset) }
      if count == 0 { break }
      try fileSystem.named(target, "write") { () throws(Errno) in
        try copy.writeAll(UnsafeRawBufferPointer(rebasing: piece[..<count]), at: offset - segment.end)
      }
      offset += count
    }
    try fileSystem.named(target, "sync") { () throws(Errno) in try copy.sync() }
    report.bytesDropped += offset - segment.end
    report.files.append(target)
  }

  /// Renames the segments after this one.
  fileprivate func setAside(after number: UInt64, _ report: inout JournalDropReport) throws(StoreError) {
    for later in try numbers() where later > number {
      let path = path(of: later)
      let target = try freeName(path)
      let file = try fileSystem.opened(path, .read)
      report.bytesDropped += try fileSystem.named(path, "look at") { () throws(Errno) in try file.size() }
      try fileSystem.named(path, "rename") { () throws(Errno) in
        try uninterrupted { () throws(Errno) in try fileSystem.rename(path, to: target) }
      }
      report.files.append(target)
    }
    try sync()
  }

  fileprivate func truncate(_ segment: SegmentInfo) throws(StoreError) {
    let path = path(of: segment.number)
    let file = try fileSystem.opened(path, .readWrite)
    try fileSystem.named(path, "cut") { () throws(Errno) in
      try uninterrupted { () throws(Errno) in try file.truncate(segment.end) }
      try file.sync()
    }
  }

  /// `<path>.dropped`, or with a number when an earlier drop has taken that.
  private func freeName(_ path: String) throws(StoreError) -> String {
    var name = path + ".dropped"
    var count = 1
    while try fileSystem.exists(name) {
      count += 1
      name = path + ".\(count).dropped"
    }
    return name
  }
}
