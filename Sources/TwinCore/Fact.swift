// One immutable recorded change of one attribute, and how it is encoded.
//
// A fact stands in a commit, which gives it sequence, recorded time, agent and purpose. It borrows names and
// values from the request that it was decided from. Decide makes facts; they are encoded once, into the image of a
// change, and from there on only copied.

import CTwindProto

package struct Fact {
  package enum Change {
    case set(UnsafePointer<Twind__V1__Value>)
    /// An increment: the resulting value, and what was added.
    case int(Int64, delta: Int64)
    case double(Double, delta: Double)
    case removal
    /// The twin with all its attributes; `attribute` is empty.
    case deletion
  }

  /// Its number within the commit.
  package let ordinal: UInt32
  package let attribute: Text
  package let change: Change
  /// Microseconds since the epoch; `validTo` 0 = open.
  package let validFrom: Int64
  package let validTo: Int64
  /// 0 = not stated.
  package let confidence: Double
  package let evidence: Text
  /// Bytes of its record: tag, length and an Attribute, without a value when there is none, without a name when the
  /// twin is deleted.
  package private(set) var recordSize = 0

  package init(
    _ change: Change, of attribute: Text, ordinal: UInt32, validFrom: Int64, validTo: Int64 = 0,
    confidence: Double = 0, evidence: Text = .empty, in commit: Commit
  ) {
    self.ordinal = ordinal
    self.attribute = attribute
    self.change = change
    self.validFrom = validFrom
    self.validTo = validTo
    self.confidence = confidence
    self.evidence = evidence
    let size = messageSize(of: commit)
    recordSize = 1 + varintSize(size) + size
  }

  /// That a twin is deleted nobody is kept from knowing.
  package var classBits: UInt32 { isDeletion ? Sight.noClass : Sight.ordinaryClass }

  private var isDeletion: Bool { if case .deletion = change { true } else { false } }

  var flags: TwinImage.Flags {
    var flags: TwinImage.Flags = validTo == 0 ? [] : [.bounded]
    if case .removal = change { flags.insert(.removal) }
    return flags
  }
}

// MARK: - Encoding

extension Fact {
  /// Of `attributes` in a Twin and a TwinChange and of `facts` in a journal's TwinFacts: on purpose the same.
  static let recordTag: UInt8 = 0x1a

  /// Writes `recordSize` bytes and returns how far behind the first one the name lies.
  ///
  /// The fields of the Attribute are written here and its values by protobuf-c, which would go through the descriptors of
  /// all fields, of which most facts have half: an update took 1,700 instructions more.
  func write(to place: UnsafeMutableRawPointer, of commit: Commit) -> Int {
    let size = messageSize(of: commit)
    place.storeBytes(of: Fact.recordTag, as: UInt8.self)
    let body = writeVarint(size, to: place + 1)
    precondition(body + size - place == recordSize, "the request changed while it was applied")
    var writer = FieldWriter(UnsafeMutableRawBufferPointer(start: body, count: size))
    withValues { value, increment in
      writer.field(1, attribute.bytes)
      writer.field(2, count: Fact.size(value)) {
        _ = twind__v1__value__pack(value, $0.assumingMemoryBound(to: UInt8.self))
      }
      writer.field(3, varint: UInt64(bitPattern: validFrom))
      writer.field(4, varint: UInt64(bitPattern: validTo))
      writer.field(5, varint: UInt64(bitPattern: commit.recordedAt))
      writer.field(6, commit.agent.bytes)
      writer.field(7, fixed64: confidence.bitPattern)
      writer.field(8, evidence.bytes)
      writer.field(9, varint: commit.sequence)
      writer.field(10, commit.purpose.bytes)
      writer.field(11, count: Fact.size(increment)) {
        _ = twind__v1__value__pack(increment, $0.assumingMemoryBound(to: UInt8.self))
      }
    }
    precondition(writer.isFull, "the size was computed before")
    return body - place + 2
  }

  private func messageSize(of commit: Commit) -> Int {
    var size = FieldWriter.size(bytes: attribute.bytes.count) + FieldWriter.size(varint: UInt64(bitPattern: validFrom))
    size += FieldWriter.size(varint: UInt64(bitPattern: validTo))
    size += FieldWriter.size(varint: UInt64(bitPattern: commit.recordedAt))
    size += FieldWriter.size(bytes: commit.agent.bytes.count) + (confidence.bitPattern == 0 ? 0 : 9)
    size += FieldWriter.size(bytes: evidence.bytes.count) + FieldWriter.size(varint: commit.sequence)
    size += FieldWriter.size(bytes: commit.purpose.bytes.count)
    return withValues { value, increment in
      size + FieldWriter.size(bytes: Fact.size(value)) + FieldWriter.size(bytes: Fact.size(increment))
    }
  }

  private static func size(_ value: UnsafePointer<Twind__V1__Value>?) -> Int {
    value.map { twind__v1__value__get_packed_size($0) } ?? 0
  }

  /// Lends the value and what was added to it.
  private func withValues<R>(
    _ body: (_ value: UnsafePointer<Twind__V1__Value>?, _ increment: UnsafePointer<Twind__V1__Value>?) -> R
  ) -> R {
    switch change {
    case .set(let value): return body(value, nil)
    case .removal, .deletion: return body(nil, nil)
    case .int(let number, let added):
      return Fact.withNumbers(TWIND__V1__VALUE__KIND_INT_VALUE, { $0.int_value = $1 }, number, added, body)
    case .double(let number, let added):
      return Fact.withNumbers(TWIND__V1__VALUE__KIND_DOUBLE_VALUE, { $0.double_value = $1 }, number, added, body)
    }
  }

  private static func withNumbers<N, R>(
    _ kind: Twind__V1__Value__KindCase, _ set: (inout Twind__V1__Value, N) -> Void, _ number: N, _ added: N,
    _ body: (UnsafePointer<Twind__V1__Value>?, UnsafePointer<Twind__V1__Value>?) -> R
  ) -> R {
    var sum = Twind__V1__Value()
    twind__v1__value__init(&sum)
    sum.kind_case = kind
    var delta = sum
    set(&sum, number)
    set(&delta, added)
    return withUnsafePointer(to: sum) { sum in withUnsafePointer(to: delta) { delta in body(sum, delta) } }
  }
}
