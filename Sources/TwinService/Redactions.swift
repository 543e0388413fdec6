// The `redactions` of a reply: what was asked for and is not shown.
//
// Measured first and then written, so that nothing is allocated for them.

import TTRPC
import TwinCore

/// One redaction.
private struct Redaction {
  static let reason: StaticString = "the policy does not let this agent see this class of data for this purpose"

  /// nil: the reply is about one twin only.
  let twin: UnsafeRawBufferPointer?
  let attribute: UnsafeRawBufferPointer

  private var reason: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: Self.reason.utf8Start, count: Self.reason.utf8CodeUnitCount)
  }

  private var count: Int {
    (twin.map { WireWriter.fieldByteCount($0.count) } ?? 0) + WireWriter.fieldByteCount(attribute.count)
      + WireWriter.fieldByteCount(reason.count)
  }

  /// Bytes of the message as a field.
  var fieldByteCount: Int { WireWriter.fieldByteCount(count) }

  func writeField(_ number: UInt8, to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var place = WireWriter.writeFieldHeader(number, count: count, to: start)
    if let twin { place = WireWriter.writeField(1, twin, to: place) }
    place = WireWriter.writeField(2, attribute, to: place)
    return WireWriter.writeField(3, reason, to: place)
  }
}

/// What a sight withholds of an image.
struct Redactions {
  private let image: TwinImage
  private let mask: AttributeMask
  private let sight: Sight
  private let number: UInt8
  private let namesTwin: Bool
  private let withScheduled: Bool

  /// - Parameters:
  ///   - number: of the field in the reply.
  ///   - namesTwin: whether the reply is about more than one twin.
  ///   - withScheduled: whether scheduled facts were asked for too.
  @inline(__always)
  init(
    _ image: TwinImage, _ mask: AttributeMask, _ sight: Sight, field number: UInt8, namesTwin: Bool,
    withScheduled: Bool = false
  ) {
    self.image = image
    self.mask = mask
    self.sight = sight
    self.number = number
    self.namesTwin = namesTwin
    self.withScheduled = withScheduled
  }

  private func redaction(_ attribute: UnsafeRawBufferPointer) -> Redaction {
    Redaction(twin: namesTwin ? image.name.bytes : nil, attribute: attribute)
  }

  @inline(__always)
  private func forEach(_ body: (Redaction) -> Void) {
    image.forEachWithheld(mask, sight) { body(redaction($0)) }
    if withScheduled { image.forEachWithheldPending(mask, sight) { body(redaction($0)) } }
  }

  var byteCount: Int {
    var count = 0
    forEach { count += $0.fieldByteCount }
    return count
  }

  /// Returns the position after them.
  func write(to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var place = start
    forEach { place = $0.writeField(number, to: place) }
    return place
  }
}

/// Redactions collected for a reply that is made piece by piece.
struct CollectedRedactions {
  private let number: UInt8
  private(set) var bytes: [UInt8] = []

  init(field number: UInt8) { self.number = number }

  /// Adds what a sight withholds of a twin, in a reply about several.
  mutating func add(_ image: TwinImage, _ mask: AttributeMask, _ sight: Sight, withScheduled: Bool = false) {
    let redactions = Redactions(
      image, mask, sight, field: number, namesTwin: true, withScheduled: withScheduled)
    append(redactions.byteCount) { _ = redactions.write(to: $0) }
  }

  /// Adds one attribute of a reply about one twin.
  mutating func add(withheld attribute: UnsafeRawBufferPointer) {
    let (redaction, number) = (Redaction(twin: nil, attribute: attribute), number)
    append(redaction.fieldByteCount) { _ = redaction.writeField(number, to: $0) }
  }

  private mutating func append(_ count: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
    if count == 0 { return }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    bytes.withUnsafeMutableBytes { write($0.baseAddress! + start) }
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
