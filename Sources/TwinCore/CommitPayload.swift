// A commit as a record of the journal: a twind.store.v1.Commit, written from the images of its changes.
//
// Promises: appends to the caller's buffer and allocates nothing else; a twin's facts are copied at once. The commit
// section writes with it, recovery reads with `decode`.

package struct CommitPayload {
  /// Microseconds since the epoch.
  package let recordedAt: Int64
  package let agent: [UInt8]
  /// As `TwinImage.change` made them, their revision the record's sequence; empty when only a key is remembered.
  package let changes: [TwinImage]
  package let keyed: KeyedResult?

  /// Appends the encoded commit to a buffer. `agent` is at most `agentBytesMax` long.
  package static func append(
    recordedAt: Int64, agent: UnsafeRawBufferPointer, changes: [TwinImage], keyed: KeyedResult?,
    to buffer: inout [UInt8]
  ) {
    let keyedSize = keyed.map(size) ?? 0
    var size = FieldWriter.size(varint: UInt64(bitPattern: recordedAt)) + FieldWriter.size(bytes: agent.count)
    for change in changes { size += FieldWriter.framed(Self.size(change)) }
    if keyed != nil { size += FieldWriter.framed(keyedSize) }
    let start = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: size))
    buffer.withUnsafeMutableBytes { bytes in
      var writer = FieldWriter(UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
      writer.field(1, varint: UInt64(bitPattern: recordedAt))
      writer.field(2, agent)
      for change in changes { write(change, to: &writer) }
      if let keyed {
        writer.header(4, count: keyedSize)
        write(keyed, to: &writer)
      }
      precondition(writer.isFull, "the computed size of a commit is wrong")
    }
  }

  // MARK: twind.store.v1.TwinFacts

  private static func size(_ change: TwinImage) -> Int {
    FieldWriter.size(bytes: change.name.bytes.count) + (change.isDeleted ? 2 : 0) + change.recordsLength
  }

  private static func write(_ change: TwinImage, to writer: inout FieldWriter) {
    writer.header(3, count: size(change))
    writer.field(1, change.name.bytes)
    if change.isDeleted { writer.field(2, varint: 1) }
    // Its records are the fields `facts`.
    writer.copy(change.records)
  }

  // MARK: twind.store.v1.KeyedResult

  private static func size(_ keyed: KeyedResult) -> Int {
    FieldWriter.size(bytes: keyed.scope.count) + (keyed.requestHash == 0 ? 0 : 9)
      + FieldWriter.framed(resultSize(keyed))
  }

  private static func revisionsSize(_ keyed: KeyedResult) -> Int {
    keyed.revisions.reduce(0) { $0 + varintSize($1) }
  }

  private static func resultSize(_ keyed: KeyedResult) -> Int {
    FieldWriter.size(varint: keyed.sequence) + FieldWriter.size(bytes: revisionsSize(keyed))
      + FieldWriter.size(varint: UInt64(keyed.factCount))
  }

  private static func write(_ keyed: KeyedResult, to writer: inout FieldWriter) {
    keyed.scope.withUnsafeBytes { writer.field(1, $0) }
    writer.field(2, fixed64: keyed.requestHash)
    writer.header(3, count: resultSize(keyed))
    writer.field(1, varint: keyed.sequence)
    if !keyed.revisions.isEmpty {
      writer.header(2, count: revisionsSize(keyed))
      for revision in keyed.revisions { writer.varint(revision) }
    }
    writer.field(3, varint: UInt64(keyed.factCount))
  }
}
