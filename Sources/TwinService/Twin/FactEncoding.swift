// A ListFactsResponse: facts are copied as stored; access is checked when they are added.

import TTRPC
import TwinCore
import TwinStore

struct FactEncoding {
  private let sight: HistorySight
  private var bytes: [UInt8] = []
  private var withheld: Set<[UInt8]> = []
  private var redactions = CollectedRedactions(field: 3)

  init(_ sight: HistorySight) { self.sight = sight }

  var byteCount: Int { bytes.count + redactions.bytes.count }

  mutating func add(_ ordinal: UInt32, _ record: AttributeRecord) {
    guard sight.shows(record.name) else {
      if withheld.insert([UInt8](record.name)).inserted { redactions.add(withheld: record.name) }
      return
    }
    Self.append(ordinal, record, field: 1, to: &bytes)
  }

  /// Appends a fact as a field with that number.
  static func append(_ ordinal: UInt32, _ record: AttributeRecord, field: UInt8, to bytes: inout [UInt8]) {
    let ordinal = UInt64(ordinal)
    var count = WireWriter.fieldByteCount(record.message.count)
    if ordinal > 0 { count += 1 + WireWriter.varintByteCount(ordinal) }
    if record.isRemoval || record.isDeletion { count += 2 }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: WireWriter.fieldByteCount(count)))
    bytes.withUnsafeMutableBytes { all in
      var place = WireWriter.writeFieldHeader(field, count: count, to: all.baseAddress! + start)
      place = WireWriter.writeField(1, record.message, to: place)
      if ordinal > 0 { place = WireWriter.writeVarintField(2, ordinal, to: place) }
      if record.isRemoval { _ = WireWriter.writeVarintField(3, 1, to: place) }
      if record.isDeletion { _ = WireWriter.writeVarintField(4, 1, to: place) }
    }
  }

  /// - Parameter sequence: 0: more parts follow.
  func send(on call: ServerCall, sequence: UInt64) {
    let tail = sequence == 0 ? 0 : 1 + WireWriter.varintByteCount(sequence)
    call.send(byteCount: byteCount + tail) { start in
      var place = start
      bytes.withUnsafeBytes { if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: $0.count) } }
      place = redactions.write(to: place + bytes.count)
      if sequence != 0 { _ = WireWriter.writeVarintField(2, sequence, to: place) }
    }
  }
}
