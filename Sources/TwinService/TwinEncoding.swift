// Encodes twins for replies by copying from their images.
//
// Sizes are computed first, then the bytes are written once, directly into the output.

import TTRPC
import TwinCore

/// A `Twin` message for a caller: the attributes of an image that it asked for and that its sight shows.
struct TwinEncoding {
  private let image: TwinImage
  private let mask: AttributeMask
  private let sight: Sight
  private let recordsSize: Int

  /// Valid as long as the image.
  @inline(__always)
  init(_ image: TwinImage, _ mask: AttributeMask, _ sight: Sight) {
    self.image = image
    self.mask = mask
    self.sight = sight
    recordsSize = image.recordsSize(mask, sight)
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
    return image.writeRecords(mask, sight, to: place)
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

  init(_ image: TwinImage, _ mask: AttributeMask, _ sight: Sight) {
    twin = TwinEncoding(image, mask, sight)
    for entry in image.pendingEntries where sight.shows(entry.classBits) && mask.covers(image.name(entry)) {
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
