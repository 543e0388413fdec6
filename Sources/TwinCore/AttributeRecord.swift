// A look into one encoded `twind.v1.Attribute` without unpacking it: an attribute of a twin, or a fact.
//
// Promises: reading a record that a crash or a stranger wrote never traps; what is accepted here protobuf-c
// can unpack. Decide and apply look into images with it, and what comes from a disk is checked with it.

package struct AttributeRecord {
  /// Empty in the fact that deletes a twin.
  package private(set) var name = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The encoded `Value`; empty in a removal and in a deletion.
  package private(set) var value = UnsafeRawBufferPointer(start: nil, count: 0)
  package private(set) var validFrom: Int64 = 0
  package private(set) var validTo: Int64 = 0
  package private(set) var recordedAt: Int64 = 0
  package private(set) var agent = UnsafeRawBufferPointer(start: nil, count: 0)
  package private(set) var confidence: Double = 0
  package private(set) var evidence = UnsafeRawBufferPointer(start: nil, count: 0)
  package private(set) var sequence: UInt64 = 0
  package private(set) var purpose = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The encoded `Value` that an increment added; empty in all else.
  package private(set) var increment = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The encoded fields from 12 on, which a commit stamps into its facts: AttributeRecord+Stamps.swift.
  package private(set) var stamps = UnsafeRawBufferPointer(start: nil, count: 0)
  /// All of it, without tag and length.
  package let message: UnsafeRawBufferPointer

  /// The bytes are not what protobuf-c writes.
  package struct Malformed: Error {}

  /// `message` is the encoded Attribute without tag and length, its fields in ascending order and none twice that is
  /// not repeated, as protobuf-c writes them.
  ///
  /// Throws, and is not failable: optimized by Swift 6.3.1, the optional result of a failable initializer lost all fields
  /// behind `agent`.
  package init(_ message: UnsafeRawBufferPointer) throws(Malformed) {
    self.message = message
    var reader = WireReader(message)
    var before: UInt64 = 0
    while !reader.isAtEnd {
      let start = reader.position
      guard let field = reader.field() else { throw Malformed() }
      if field.number >= Self.firstStamp {
        stamps = message.part(start, message.count - start)
        guard Self.isStamps(stamps) else { throw Malformed() }
        return
      }
      guard field.number > before, take(field) else { throw Malformed() }
      before = field.number
    }
  }

  private mutating func take(_ field: WireReader.Field) -> Bool {
    switch (field.number, field.content) {
    case (1, .bytes(let bytes)): name = bytes
    case (2, .bytes(let bytes)): value = bytes
    case (3, .varint(let number)): validFrom = Int64(bitPattern: number)
    case (4, .varint(let number)): validTo = Int64(bitPattern: number)
    case (5, .varint(let number)): recordedAt = Int64(bitPattern: number)
    case (6, .bytes(let bytes)): agent = bytes
    case (7, .fixed64(let bits)): confidence = Double(bitPattern: bits)
    case (8, .bytes(let bytes)): evidence = bytes
    case (9, .varint(let number)): sequence = number
    case (10, .bytes(let bytes)): purpose = bytes
    case (11, .bytes(let bytes)): increment = bytes
    default: return false
    }
    return true
  }

  /// The fact that deletes the twin with all its attributes.
  package var isDeletion: Bool { name.isEmpty }
  /// The fact that the attribute has no value.
  package var isRemoval: Bool { value.isEmpty && !name.isEmpty }

  /// What an image's index says of it.
  var flags: TwinImage.Flags {
    var flags: TwinImage.Flags = []
    if isRemoval { flags.insert(.removal) }
    if validTo != 0 { flags.insert(.bounded) }
    return flags
  }
}
