// What a commit stamps into its facts, so that they can be folded without the rules that it was decided by: method, event,
// combine, rank, roots of evidence, version of the schema, more evidence, and whether time made the commit.
//
// Nothing writes them yet; segments of version 2 and databases of format 3 may hold them. They are checked here, and kept as
// they were written.

extension AttributeRecord {
  /// The number of the first of these fields.
  package static let firstStamp: UInt64 = 12
  private static let repeatedMax = 16
  private static let idBytesMax = 200
  private static let schemaVersionBytesMax = 64

  /// Whether these are the fields from 12 on, in ascending order, as protobuf-c writes them.
  static func isStamps(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var reader = WireReader(bytes)
    var before: UInt64 = 0
    var count = 0
    while !reader.isAtEnd {
      guard let field = reader.field(), field.number >= before, isStamp(field) else { return false }
      count = field.number == before ? count + 1 : 1
      guard count <= (isRepeated(field.number) ? repeatedMax : 1) else { return false }
      before = field.number
    }
    return true
  }

  private static func isRepeated(_ number: UInt64) -> Bool { number == 17 || number == 19 }

  private static func isStamp(_ field: WireReader.Field) -> Bool {
    switch (field.number, field.content) {
    case (12, .varint(let method)): method <= 3
    case (13, .bytes(let source)), (14, .bytes(let source)): isText(source, idBytesMax)
    case (15, .varint(let combine)): combine <= 5
    case (16, .varint(let rank)): rank <= UInt64(UInt32.max)
    case (17, .bytes(let root)): isRoot(root)
    case (18, .bytes(let version)): isText(version, schemaVersionBytesMax)
    case (19, .bytes(let evidence)): isText(evidence, Limits.evidenceBytesMax)
    case (20, .varint(let turn)): turn <= 1
    case (21, .varint): true
    default: false
    }
  }

  private static func isRoot(_ root: UnsafeRawBufferPointer) -> Bool {
    var reader = WireReader(root)
    var before: UInt64 = 0
    while !reader.isAtEnd {
      guard let field = reader.field(), field.number > before else { return false }
      switch (field.number, field.content) {
      case (1, .bytes(let id)) where isText(id, idBytesMax): break
      case (2, .varint): break
      default: return false
      }
      before = field.number
    }
    return true
  }

  private static func isText(_ text: UnsafeRawBufferPointer, _ countMax: Int) -> Bool {
    text.count <= countMax && isUTF8(text) && !holdsControl(text)
  }
}
