// Goes on after a recovery, always in a new segment with a new salt: what a crash left behind the last good record
// can then never be taken for a part of what is written next.

extension Journal {
  /// - Parameters:
  ///   - recovery: what was found, unchanged since.
  ///   - nextSequence: the first sequence that will be issued, not below `recovery.freeSequence`.
  ///   - randomness: yields a salt for each segment.
  /// - Throws: `noSpace`, `io`. Nothing is lost then; it may be tried again.
  package convenience init(
    continuing recovery: JournalRecovery, nextSequence: UInt64, options: JournalOptions = JournalOptions(),
    randomness: @escaping () -> UInt64
  ) throws(StoreError) {
    precondition(nextSequence >= recovery.freeSequence, "a sequence is never issued twice")
    let folder = recovery.folder
    let fileSystem = folder.fileSystem
    try fileSystem.ensureDirectory(folder.path)
    try fileSystem.named(folder.dataDirectory, "sync the directory") { () throws(Errno) in
      try fileSystem.syncDirectory(folder.dataDirectory)
    }
    // A name that a killed process gave may not be durable yet: the next one must not outlive it.
    try folder.sync()
    let directory = try folder.open()
    var segments = recovery.segments
    let old = try segments.last.map { (info) throws(StoreError) in try folder.reopen(info) }
    let preparation = SegmentPreparation(folder, byteCount: options.segmentBytes)
    preparation.run()
    guard let outcome = preparation.outcome else { preconditionFailure("run() leaves an outcome") }
    let file = try outcome.get()
    let header = SegmentHeader(
      number: (segments.last?.number ?? 0) + 1, baseSequence: nextSequence, previousLast: recovery.lastSequence,
      previousEnd: UInt32(segments.last?.end ?? 0), size: UInt32(options.segmentBytes), salt: randomness())
    try fileSystem.named(folder.path(of: header.number), "begin") { () throws(Errno) in
      try folder.take(file, header, directory)
    }
    if let old {
      let end = segments[segments.count - 1].end
      try fileSystem.named(folder.path(of: header.number - 1), "cut") { () throws(Errno) in
        try uninterrupted { () throws(Errno) in try old.truncate(end) }
      }
      segments[segments.count - 1].fileBytes = end
    }
    segments.append(SegmentInfo(header))
    self.init(folder, directory, options, randomness, file, header, segments: segments)
  }
}

extension JournalFolder {
  /// What a killed process had written may be in memory only, and after a failed sync the system takes it for written:
  /// so it is written once more and synced. From here on it counts as durable.
  fileprivate func reopen(_ info: SegmentInfo) throws(StoreError) -> any File {
    let path = path(of: info.number)
    let file = try fileSystem.opened(path, .readWrite)
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: info.end, alignment: 8)
    defer { bytes.deallocate() }
    try fileSystem.named(path, "write") { () throws(Errno) in
      _ = try file.readAll(into: bytes, at: 0)
      try file.writeAll(UnsafeRawBufferPointer(bytes), at: 0)
    }
    try fileSystem.named(path, "sync") { () throws(Errno) in try file.sync() }
    return file
  }
}
