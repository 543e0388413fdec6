// A WatchTwinsResponse: parts are copied from images; each with the sight of its twin.

import TTRPC
import TwinCore
import TwinStore

/// Collects the fields of a response.
struct WatchFrame {
  private let query: WatchQuery
  private var bytes: [UInt8] = []
  private var redactions: CollectedRedactions

  init(_ query: WatchQuery) {
    self.query = query
    redactions = CollectedRedactions(field: 5)
  }

  var isEmpty: Bool { bytes.isEmpty && redactions.bytes.isEmpty }
  var byteCount: Int { bytes.count + redactions.bytes.count }

  /// A twin as it is, and what time will make of it.
  mutating func add(snapshot image: TwinImage, _ sight: Sight) {
    redactions.add(image, query.mask, sight, withScheduled: true)
    let twin = ScheduledTwinEncoding(image, query.mask, sight)
    append(twin.fieldByteCount) { twin.writeField(2, to: $0) }
  }

  /// What one commit did to a twin. A change in attributes that were not asked for is none, unless it made the twin.
  mutating func add(change: SeenTwin) {
    let image = change.image
    redactions.add(image, query.mask, change.sight)
    var fields: [UInt8] = []
    if !image.isDeleted {
      for entry in image.entries where isShown(change, entry) { Self.append(image, entry, to: &fields) }
    }
    add(change: image, fields, isCreated: image.isCreation)
  }

  /// One fact as a field of a TwinChange: of `attributes`, of `removed` and `ended`, or of `other_facts`.
  private static func append(_ change: TwinImage, _ entry: TwinImage.Entry, to fields: inout [UInt8]) {
    if entry.flags.contains(.notCurrent) {
      append(6, change.message(entry), to: &fields)
    } else if entry.flags.contains(.removal) {
      append(4, change.name(entry), to: &fields)
      append(8, change.message(entry), to: &fields)
    } else {
      fields.append(contentsOf: change.record(entry))
    }
  }

  private static func append(_ number: UInt8, _ bytes: UnsafeRawBufferPointer, to fields: inout [UInt8]) {
    let start = fields.count
    fields.append(contentsOf: repeatElement(0, count: WireWriter.fieldByteCount(bytes.count)))
    fields.withUnsafeMutableBytes { _ = WireWriter.writeField(number, bytes, to: $0.baseAddress! + start) }
  }

  /// What several commits did to a twin. A deletion is a change of its own: what came after it is not gone with it.
  mutating func add(coalesced twin: CoalescedChanges.Twin) {
    if let deletion = twin.deletion { add(change: deletion) }
    var fields: [UInt8] = []
    for change in twin.changes {
      redactions.add(change.image, query.mask, change.sight)
      for entry in change.image.entries where twin.isLast(change.image, entry) && isShown(change, entry) {
        Self.append(change.image, entry, to: &fields)
      }
    }
    guard let last = twin.changes.last else { return }
    add(change: last.image, fields, isCreated: twin.changes.contains(where: \.image.isCreation))
  }

  private func isShown(_ change: SeenTwin, _ entry: TwinImage.Entry) -> Bool {
    change.sight.shows(entry.classBits) && query.mask.covers(change.image.name(entry))
  }

  /// - Parameter change: what the fields are of, or the last of several.
  private mutating func add(change: TwinImage, _ fields: [UInt8], isCreated: Bool) {
    guard !fields.isEmpty || isCreated || change.isDeleted else { return }
    let (name, revision) = (change.name.bytes, change.revision)
    let count =
      WireWriter.fieldByteCount(name.count) + 1 + WireWriter.varintByteCount(revision) + fields.count
      + (change.isDeleted ? 2 : 0) + (isCreated ? 2 : 0)
    append(WireWriter.fieldByteCount(count)) { start in
      var place = WireWriter.writeFieldHeader(4, count: count, to: start)
      place = WireWriter.writeField(1, name, to: place)
      place = WireWriter.writeVarintField(2, revision, to: place)
      fields.withUnsafeBytes { if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: $0.count) } }
      place += fields.count
      if change.isDeleted { place = WireWriter.writeVarintField(5, 1, to: place) }
      if isCreated { _ = WireWriter.writeVarintField(7, 1, to: place) }
    }
  }

  private mutating func append(_ count: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    bytes.withUnsafeMutableBytes { write($0.baseAddress! + start) }
  }

  /// - Parameter isComplete: this was the last part of the snapshot.
  func send(on call: ServerCall, sequence: UInt64, _ isComplete: Bool) {
    let head = sequence == 0 ? 0 : 1 + WireWriter.varintByteCount(sequence)
    call.send(byteCount: head + byteCount + (isComplete ? 2 : 0)) { start in
      var place = sequence == 0 ? start : WireWriter.writeVarintField(1, sequence, to: start)
      bytes.withUnsafeBytes { if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: $0.count) } }
      place = redactions.write(to: place + bytes.count)
      if isComplete { _ = WireWriter.writeVarintField(3, 1, to: place) }
    }
  }
}
