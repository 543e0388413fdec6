// Parses the request envelope without protobuf-c, which would take 150 ns longer. The payload is a range of the receive
// buffer.
//
// A test compares the results with protobuf-c's on random and mutated bytes.

/// Views into a request frame. Valid as long as the frame's bytes.
public struct RequestEnvelope {
  public private(set) var service = UnsafeRawBufferPointer(start: nil, count: 0)
  public private(set) var method = UnsafeRawBufferPointer(start: nil, count: 0)
  public private(set) var payload = UnsafeRawBufferPointer(start: nil, count: 0)
  /// In nanoseconds; 0: no deadline; negative: already expired.
  public private(set) var timeoutNanos: Int64 = 0
  public private(set) var metadata: Metadata

  /// Throws INVALID_ARGUMENT if the bytes are not a Request, RESOURCE_EXHAUSTED if it has too much metadata.
  package init(_ bytes: UnsafeRawBufferPointer) throws(RPCError) {
    try self.init(uncheckedNames: bytes)
    guard UTF8Text.isValid(service), UTF8Text.isValid(method) else { throw RPCError.malformedEnvelope }
  }

  /// The same, for who looks service and method up by their bytes: names that are found are text.
  @inline(__always)
  init(uncheckedNames bytes: UnsafeRawBufferPointer) throws(RPCError) {
    metadata = Metadata(in: bytes)
    var reader = WireReader(bytes)
    while !reader.isAtEnd {
      guard let field = reader.next() else { throw RPCError.malformedEnvelope }
      switch field.number {
      case 1: service = try Self.lengthDelimited(field)
      case 2: method = try Self.lengthDelimited(field)
      case 3: payload = try Self.lengthDelimited(field)
      case 4:
        guard field.type == WireType.varint else { throw RPCError.malformedEnvelope }
        timeoutNanos = Int64(bitPattern: field.varint)
      case 5: try metadata.check(pair: Self.lengthDelimited(field))
      default: continue
      }
    }
  }

  private static func lengthDelimited(_ field: WireField) throws(RPCError) -> UnsafeRawBufferPointer {
    guard field.type == WireType.lengthDelimited else { throw RPCError.malformedEnvelope }
    return field.value
  }
}

/// The metadata of a call: a view into its envelope that is searched on demand.
public struct Metadata {
  static var none: Metadata { Metadata(in: UnsafeRawBufferPointer(start: nil, count: 0)) }

  private let envelope: UnsafeRawBufferPointer
  private var pairCount: Int32 = 0
  private var byteCount: Int32 = 0

  public var count: Int { Int(pairCount) }

  fileprivate init(in envelope: UnsafeRawBufferPointer) { self.envelope = envelope }

  /// The last value of a key, compared in lower case. nil if there is none.
  public subscript(key: StaticString) -> String? { bytes(key).map { String(decoding: $0, as: UTF8.self) } }

  /// The same without a string; valid as long as the request.
  public func bytes(_ key: StaticString) -> UnsafeRawBufferPointer? {
    let wanted = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
    var found: UnsafeRawBufferPointer?
    forEach { pair in
      if Self.equal(pair.key, wanted) { found = pair.value }
    }
    return found
  }

  /// All pairs in the order of arrival.
  public var all: [(key: String, value: String)] {
    var pairs: [(key: String, value: String)] = []
    forEach { pairs.append((String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))) }
    return pairs
  }

  private typealias Pair = (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

  /// Every pair was checked when the envelope was read.
  private func forEach(_ body: (Pair) -> Void) {
    if count == 0 { return }
    var reader = WireReader(envelope)
    while !reader.isAtEnd, let field = reader.next() {
      if field.number == 5, let pair = Self.pair(field.value) { body(pair) }
    }
  }

  /// nil if the bytes are not a pair of strings.
  private static func pair(_ bytes: UnsafeRawBufferPointer) -> Pair? {
    var key = UnsafeRawBufferPointer(start: nil, count: 0)
    var value = UnsafeRawBufferPointer(start: nil, count: 0)
    var reader = WireReader(bytes)
    while !reader.isAtEnd {
      guard let field = reader.next() else { return nil }
      guard field.number == 1 || field.number == 2 else { continue }
      guard field.type == WireType.lengthDelimited, UTF8Text.isValid(field.value) else { return nil }
      if field.number == 1 { key = field.value } else { value = field.value }
    }
    return (key, value)
  }

  fileprivate mutating func check(pair bytes: UnsafeRawBufferPointer) throws(RPCError) {
    guard let pair = Self.pair(bytes) else { throw RPCError.malformedEnvelope }
    // No more than the frame has, which is far from what 32 bits hold.
    byteCount += Int32(pair.key.count + pair.value.count)
    guard count < Limits.metadataPairsMax else {
      throw RPCError(
        .resourceExhausted,
        "the metadata exceeds the limit of \(Limits.metadataPairsMax) pairs (metadataPairsMax): send less",
        limit: .init("metadataPairsMax", maximum: Limits.metadataPairsMax, actual: Int(count) + 1))
    }
    guard byteCount <= Limits.metadataBytesMax else {
      throw RPCError(
        .resourceExhausted,
        "the metadata exceeds the limit of \(Limits.metadataBytesMax) bytes (metadataBytesMax): send less",
        limit: .init("metadataBytesMax", maximum: Limits.metadataBytesMax, actual: Int(byteCount)))
    }
    pairCount += 1
  }

  private static func equal(_ key: UnsafeRawBufferPointer, _ lower: UnsafeRawBufferPointer) -> Bool {
    key.count == lower.count
      && zip(key, lower).allSatisfy { (byte, wanted) in
        (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) == wanted
      }
  }
}

extension RPCError {
  static let malformedEnvelope = RPCError(
    .invalidArgument, "the frame is not a ttrpc.Request: check the client's encoder")
}
