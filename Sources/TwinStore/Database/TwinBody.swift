// The body of a twin's row: an image, and what the database knows of its facts.
//
// All numbers are little-endian.
//
//      0          8             16           24           32            40       44        48      50      52
//     +----------+-------------+------------+------------+-------------+--------+---------+-------+-------+-------+---------+---------+
//     | revision | recorded_at | facts_from | fact_count | forgotten   | fact   | records | agent | flags | agent | records | pending |
//     | u64      | i64         | i64        | i64        | through i64 | digest | bytes   | bytes | u16   |       |         |         |
//     |          |             |            |            |             | u32    | u32     | u16   |       |       |         |         |
//     +----------+-------------+------------+------------+-------------+--------+---------+-------+-------+-------+---------+---------+
//
// records: the encoded fields `attributes` of a twind.v1.Twin, as they were at recorded_at; pending: the same, of facts
// that hold later. facts_from: from when on all facts are kept; the smallest number = all there ever were.
// forgotten through: TwinImage+Forgotten.swift. flags: 1 = deleted.

import TwinCore

struct TwinBody {
  static let headerByteCount = 52
  fileprivate static let deleted: UInt16 = 1

  var revision: UInt64
  var recordedAt: Int64
  var factsFrom: Int64
  var factCount: Int64
  var forgottenThrough: Int64
  var factDigest: UInt32
  var isDeleted: Bool
  /// These three are lent.
  var agent: UnsafeRawBufferPointer
  var records: UnsafeRawBufferPointer
  var pending: UnsafeRawBufferPointer

}

extension TwinBody {
  var byteCount: Int { Self.headerByteCount + agent.count + records.count + pending.count }

  /// Writes `byteCount` bytes.
  func encode(into bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count == byteCount && agent.count <= Limits.agentBytesMax)
    bytes.store(revision, at: 0)
    bytes.store(recordedAt, at: 8)
    bytes.store(factsFrom, at: 16)
    bytes.store(factCount, at: 24)
    bytes.store(forgottenThrough, at: 32)
    bytes.store(factDigest, at: 40)
    bytes.store(UInt32(records.count), at: 44)
    bytes.store(UInt16(agent.count), at: 48)
    bytes.store(isDeleted ? Self.deleted : 0, at: 50)
    var place = Self.headerByteCount
    for part in [agent, records, pending] {
      UnsafeMutableRawBufferPointer(rebasing: bytes[place..<place + part.count]).copyMemory(from: part)
      place += part.count
    }
    assert(place == bytes.count)
  }

  /// Nil when it cannot be what was written. The parts are those of `bytes`.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.headerByteCount else { return nil }
    revision = bytes.number(at: 0)
    recordedAt = bytes.number(at: 8)
    factsFrom = bytes.number(at: 16)
    factCount = bytes.number(at: 24)
    forgottenThrough = bytes.number(at: 32)
    factDigest = bytes.number(at: 40)
    let recordByteCount = Int(bytes.number(at: 44, UInt32.self))
    let agentByteCount = Int(bytes.number(at: 48, UInt16.self))
    let flags = bytes.number(at: 50, UInt16.self)
    isDeleted = flags & Self.deleted != 0
    let start = Self.headerByteCount
    guard flags & ~Self.deleted == 0, start + agentByteCount + recordByteCount <= bytes.count else { return nil }
    agent = bytes.part(start, agentByteCount)
    records = bytes.part(start + agentByteCount, recordByteCount)
    let end = start + agentByteCount + recordByteCount
    pending = bytes.part(end, bytes.count - end)
  }

  init(_ image: TwinImage, factsFrom: Int64, factCount: Int64, factDigest: UInt32) {
    revision = image.revision
    recordedAt = image.recordedAt
    self.factsFrom = factsFrom
    self.factCount = factCount
    forgottenThrough = image.forgottenThrough
    self.factDigest = factDigest
    isDeleted = image.isDeleted
    agent = image.agent.bytes
    records = image.records
    pending = image.pendingRecords
  }

  func image(named name: UnsafeRawBufferPointer) throws -> TwinImage {
    guard revision > 0, revision <= Limits.sequenceMax else { throw RowFault("its revision is \(revision)") }
    do {
      let image = try TwinImage.decode(
        name: try TwinName(name), agent: agent, revision: revision, recordedAt: recordedAt, isDeleted: isDeleted,
        records: records, pending: pending)
      image.markForgotten(through: forgottenThrough)
      return image
    } catch let fault as RecordFault {
      throw RowFault("at byte \(fault.offset) of its attributes: \(fault.reason)")
    } catch let error as TwinError {
      throw RowFault(error.message)
    }
  }
}
