// Reads the file that HistoryText writes, fact by fact.
//
// A damaged or incomplete file is refused with the line number: every line has a checksum, and the last one has the
// counts. Nothing in a line is ignored. Memory is bounded by the longest line.

import TwinClient

/// An error in a history, with its line.
package struct HistoryFault: Error, Equatable {
  package let line: Int
  package let reason: String
}

package struct HistoryReader {
  /// One fact of the file.
  package struct Entry: Sendable {
    /// The twin's name.
    package let name: [UInt8]
    /// From when on the twin's facts are all there, microseconds since the epoch; Int64.min = all there ever were.
    package let keptFrom: Int64
    package let sequence: UInt64
    package let ordinal: UInt32
    /// Encoded as a twind.v1.Attribute.
    package let attribute: [UInt8]
    package let line: Int
  }

  /// The facts are those up to this sequence.
  package private(set) var sequence: UInt64 = 0
  private var records: RecordReader
  private var line = 1
  private var name: [UInt8] = []
  private var keptFrom = Int64.min
  private var twinCount: UInt64 = 0
  private var factCount: UInt64 = 0

  /// Reads the first line.
  ///
  /// - Parameter read: fills at least part of the buffer, and returns the number of bytes; 0: the end.
  package init(read: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) throws {
    records = RecordReader(delimiter: nil, read: read)
    guard let first = try records.next() else { throw fault("the file is empty") }
    line = first.line
    let members = try members(first)
    guard let version = members.history else {
      throw fault("this is not a history: its first line must be {\"history\":1,…}")
    }
    guard version == HistoryText.version else {
      throw fault(
        "the history has format \(version), and this version reads format \(HistoryText.version): use a newer twind")
    }
    guard let sequence = members.sequence else { throw fault("the sequence is missing") }
    self.sequence = sequence
  }

  /// The next fact; nil after the last, when all are there.
  package mutating func next() throws -> Entry? {
    guard let record = try records.next() else {
      throw fault("the file is incomplete: it ends after this line, without its last line {\"end\":true,…}")
    }
    line = record.line
    let members = try members(record)
    if members.isEnd { return try finish(members) }
    guard let name = members.name else { throw fault("the name of the twin is missing") }
    if !name.utf8.elementsEqual(self.name) {
      self.name = Array(name.utf8)
      keptFrom = members.keptFrom ?? .min
      twinCount += 1
    }
    factCount += 1
    let fact: Fact
    do throws(TextFault) { fact = try members.fact() } catch { throw fault(error.description) }
    return Entry(
      name: self.name, keptFrom: keptFrom, sequence: fact.sequence, ordinal: fact.ordinal ?? 0,
      attribute: fact.encoded, line: line)
  }

  private mutating func finish(_ members: HistoryMembers) throws -> Entry? {
    guard members.twins == twinCount, members.facts == factCount else {
      let said = "\(members.facts ?? 0) facts of \(members.twins ?? 0) twins"
      throw fault("the file has \(factCount) facts of \(twinCount) twins, but this line says \(said)")
    }
    if let record = try records.next() {
      line = record.line
      throw fault("there is text after the last line of the history: put only one history in a file")
    }
    return nil
  }

  private func members(_ record: Record) throws -> HistoryMembers {
    switch HistoryText.isWhole(record.bytes) {
    case nil: throw fault("the line has no checksum: it is truncated, or was not written by `twinctl export --history`")
    case false?: throw fault("the line was changed or damaged: its checksum does not match")
    default: break
    }
    do {
      return try HistoryMembers(record.bytes)
    } catch {
      throw fault("\(error)")
    }
  }

  private func fault(_ reason: String) -> HistoryFault { HistoryFault(line: line, reason: reason) }
}
