// Encodes twins for replies by copying from their images.
//
// Sizes are computed first, then the bytes are written once, directly into the output.

import TTRPC
import TwinCore

/// A `Twin` message for a caller: some attributes of an image.
struct TwinEncoding {
  private let image: TwinImage
  private let mask: AttributeMask
  private let permit: Permit
  private let recordsSize: Int

  /// Valid as long as the image.
  @inline(__always)
  init(_ image: TwinImage, _ mask: AttributeMask, _ permit: Permit) {
    self.image = image
    self.mask = mask
    self.permit = permit
    recordsSize = image.recordsSize(mask, permit)
  }

  /// The size of the message, without its own tag and length.
  @inline(__always)
  var byteCount: Int {
    WireWriter.fieldByteCount(image.name.bytes.count) + 1 + WireWriter.varintByteCount(image.revision) + recordsSize
  }

  /// Writes the message and returns the position after it.
  @inline(__always)
  func write(to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var place = WireWriter.writeField(1, image.name.bytes, to: start)
    place = WireWriter.writeVarintField(2, image.revision, to: place)
    return image.writeRecords(mask, permit, to: place)
  }

  /// Bytes of the message as a field.
  @inline(__always)
  var fieldByteCount: Int { WireWriter.fieldByteCount(byteCount) }

  /// Writes the message as a field with that number.
  @inline(__always)
  func writeField(_ number: UInt8, to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    write(to: WireWriter.writeFieldHeader(number, count: byteCount, to: start))
  }
}

/// A `Twin` message with scheduled facts, for a caller.
struct ScheduledTwinEncoding {
  private let twin: TwinEncoding
  /// The fields `scheduled`.
  private var scheduled: [UInt8] = []

  init(_ image: TwinImage, _ mask: AttributeMask, _ permit: Permit) {
    twin = TwinEncoding(image, mask, permit)
    for entry in image.pendingEntries where permit.shows(entry.classBits) && mask.covers(image.name(entry)) {
      let (start, message) = (scheduled.count, image.message(entry))
      scheduled.append(contentsOf: repeatElement(0, count: WireWriter.fieldByteCount(message.count)))
      scheduled.withUnsafeMutableBytes { _ = WireWriter.writeField(4, message, to: $0.baseAddress! + start) }
    }
  }

  private var byteCount: Int { twin.byteCount + scheduled.count }

  /// Bytes of the message as a field.
  var fieldByteCount: Int { WireWriter.fieldByteCount(byteCount) }

  /// Writes the message as a field with that number.
  func writeField(_ number: UInt8, to start: UnsafeMutableRawPointer) {
    let place = twin.write(to: WireWriter.writeFieldHeader(number, count: byteCount, to: start))
    scheduled.withUnsafeBytes { if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: $0.count) } }
  }
}

/// The `redactions` of a reply, all with the same field number.
struct RedactionEncoding {
  private static let reason: StaticString = "the policy does not let this agent see this class of data for this purpose"
  private let number: UInt8
  private let namesTwin: Bool
  private(set) var bytes: [UInt8] = []

  /// - Parameter namesTwin: whether the reply is about more than one twin.
  init(field number: UInt8, namesTwin: Bool) {
    self.number = number
    self.namesTwin = namesTwin
  }

  /// Adds what the permit withholds of an image.
  @inline(__always)
  mutating func add(_ image: TwinImage, _ mask: AttributeMask, _ permit: Permit) {
    image.forEachWithheld(mask, permit) { append(image.name.bytes, $0) }
  }

  /// Adds one attribute of a reply about one twin.
  mutating func add(withheld attribute: UnsafeRawBufferPointer) {
    append(UnsafeRawBufferPointer(start: nil, count: 0), attribute)
  }

  private mutating func append(_ twin: UnsafeRawBufferPointer, _ attribute: UnsafeRawBufferPointer) {
    let reason = UnsafeRawBufferPointer(start: Self.reason.utf8Start, count: Self.reason.utf8CodeUnitCount)
    var fields: [(UInt8, UnsafeRawBufferPointer)] = [(2, attribute), (3, reason)]
    if namesTwin { fields.insert((1, twin), at: 0) }
    let count = fields.reduce(0) { $0 + WireWriter.fieldByteCount($1.1.count) }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: WireWriter.fieldByteCount(count)))
    bytes.withUnsafeMutableBytes { all in
      var place = WireWriter.writeFieldHeader(number, count: count, to: all.baseAddress! + start)
      for (number, value) in fields { place = WireWriter.writeField(number, value, to: place) }
    }
  }

  /// Writes what was added and returns the position after it.
  func write(to place: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return place }
      place.copyMemory(from: start, byteCount: source.count)
      return place + source.count
    }
  }
}
