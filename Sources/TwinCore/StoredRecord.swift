// A record that comes from a disk: checked before anything else looks at it.
//
// Promises: what passes here protobuf-c can unpack, and is what decide could have made; nothing is trapped on.

/// What is wrong with stored bytes, and where.
package struct RecordFault: Error, Equatable {
  package let offset: Int
  package let reason: String

  package init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }
}

/// One encoded Attribute with its tag and length.
struct StoredRecord {
  enum Role {
    /// A current attribute of a twin: has a name and a value.
    case current
    /// A fact that a twin keeps for later: has a name.
    case pending
    /// A fact of a commit; without a name it deletes the twin.
    case fact
  }

  let bytes: UnsafeRawBufferPointer
  let attribute: AttributeRecord
  /// Describes the record to a `TwinImage.Writer`.
  let entry: TwinImage.Entry

  /// Reads the next one, whose field has this number.
  init(_ reader: inout WireReader, of all: UnsafeRawBufferPointer, field number: UInt64, as role: Role)
    throws(RecordFault)
  {
    let start = reader.position
    func fault(_ reason: String) -> RecordFault { RecordFault(offset: start, reason: reason) }
    guard let field = reader.field(), field.number == number, case .bytes(let message) = field.content else {
      throw fault("this is not an attribute")
    }
    do { attribute = try AttributeRecord(checked: message, as: role) } catch { throw fault(error.reason) }
    bytes = all.part(start, reader.position - start)
    entry = TwinImage.Entry(
      offset: 0, length: UInt32(truncatingIfNeeded: bytes.count),
      classBits: attribute.isDeletion ? Sight.noClass : Sight.ordinaryClass,
      nameStart: UInt8(truncatingIfNeeded: bytes.count - message.count + 2),
      nameLength: UInt8(truncatingIfNeeded: attribute.name.count), flags: attribute.flags)
  }
}

extension AttributeRecord {
  /// An encoded Attribute without tag and length. The fault's offset is 0.
  init(checked message: UnsafeRawBufferPointer, as role: StoredRecord.Role) throws(RecordFault) {
    func fault(_ reason: String) -> RecordFault { RecordFault(offset: 0, reason: reason) }
    do { self = try AttributeRecord(message) } catch { throw fault("this is not an attribute") }
    guard isProvenanceText(agent), isProvenanceText(evidence), isProvenanceText(purpose) else {
      throw fault("the provenance of \(quoted(name)) is not UTF-8")
    }
    if role == .fact && name.isEmpty {
      // It says when and by whom, and nothing else.
      guard value.isEmpty, increment.isEmpty, evidence.isEmpty, validTo == 0, confidence == 0,
        validFrom == recordedAt
      else {
        throw fault("a fact without a name is not a plain deletion of the twin")
      }
      return
    }
    do { try checkAttributeName(name) } catch { throw fault(error.message) }
    if name.baseAddress != message.baseAddress.map({ $0 + 2 }) {
      throw fault("the attribute does not begin with its name")
    }
    if validTo != 0 && validTo <= validFrom { throw fault("\(quoted(name)) ends before it begins") }
    if value.isEmpty && increment.isEmpty && role != .current { return }
    if value.count > Limits.valueBytesMax || EncodedKind(value) == nil {
      throw fault("\(quoted(name)) has no readable value")
    }
    if !increment.isEmpty && EncodedKind(increment) == nil {
      throw fault("the increment of \(quoted(name)) is not readable")
    }
  }
}

private func isProvenanceText(_ text: UnsafeRawBufferPointer) -> Bool {
  text.count <= 128 && isUTF8(text) && !holdsControl(text)
}
