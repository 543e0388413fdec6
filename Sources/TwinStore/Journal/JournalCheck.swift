// Reads a whole journal and reports on each segment, for `twind verify`.
//
// Promises: writes nothing and goes on after a fault, so that one run shows everything.

package struct JournalCheck: Sendable {
  package struct Segment: Equatable, Sendable {
    package var path: String
    package var info: SegmentInfo
    /// Records with a payload, and the sequence of the first of them.
    package var recordCount = 0
    package var firstSequence: UInt64?
    /// Bytes after the last record that a start would cut.
    package var tailBytes = 0
    package var problems: [Problem] = []
  }

  package struct Problem: Equatable, Sendable {
    package var offset: Int
    package var reason: String
    /// What the operator can do.
    package var remedy: String
  }

  package private(set) var segments: [Segment] = []
  package var recordCount: Int { segments.reduce(0) { $0 + $1.recordCount } }
  package var isSound: Bool { segments.allSatisfy(\.problems.isEmpty) }

  /// - Parameter appliedSequence: the database holds every commit up to it.
  /// - Throws: `newerFormat` and `io`; `missing` when there is no journal and one is expected.
  package init(
    dataDirectory: String, fileSystem: any FileSystem, appliedSequence: UInt64, isExpected: Bool
  ) throws(StoreError) {
    let folder = JournalFolder(dataDirectory: dataDirectory, fileSystem: fileSystem)
    var first: UInt64?
    var problems: [Problem] = []
    var segments: [Segment] = []
    let isThere = try folder.walk(
      applied: appliedSequence,
      { (record) throws(StoreError) in first = first ?? record.sequence },
      onFault: { (fault) throws(StoreError) in problems.append(Problem(fault, folder)) },
      onSegment: { (_, scan, info) throws(StoreError) in
        segments.append(
          Segment(
            path: folder.path(of: info.number), info: info, recordCount: scan.recordCount, firstSequence: first,
            tailBytes: scan.tailBytes, problems: problems))
        first = nil
        problems = []
      })
    if !isThere, isExpected { throw folder.missing(applied: appliedSequence) }
    if let last = segments.last, last.problems.isEmpty,
      let fault = folder.fault(ending: last.info, applied: appliedSequence)
    {
      segments[segments.count - 1].problems = [Problem(fault, folder)]
    }
    self.segments = segments
  }
}

extension JournalCheck.Problem {
  fileprivate init(_ fault: JournalFault, _ folder: JournalFolder) {
    offset = fault.offset
    reason = fault.reason
    remedy = folder.remedy(fault)
  }
}
