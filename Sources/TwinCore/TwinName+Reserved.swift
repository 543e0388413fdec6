// Names that only twind's own services write: kinds that begin with `twind-`, as in `acme/twind-schema/customer`, and
// attributes that begin with `twind.`, as `twind.region`.

extension TwinName {
  package var kind: UnsafeRawBufferPointer {
    let start = space.count + 1
    let rest = bytes.part(start, bytes.count - start)
    return rest.part(0, rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.count)
  }

  package var isReserved: Bool { begins(kind, with: "twind-") }

  /// A name that a caller wants to write to.
  init(writing text: Text) throws(TwinError) {
    try self.init(text)
    if isReserved {
      throw .invalid("\(self) cannot be written: kinds that begin with twind- are reserved; choose another kind")
    }
  }
}

package func isReserved(attribute name: UnsafeRawBufferPointer) -> Bool { begins(name, with: "twind.") }

/// Checks the name of an attribute that a caller wants to write.
func checkIsNotReserved(attribute name: UnsafeRawBufferPointer) throws(TwinError) {
  if isReserved(attribute: name) {
    throw .invalid("\(quoted(name)) cannot be written: names that begin with twind. are reserved; choose another name")
  }
}

private func begins(_ bytes: UnsafeRawBufferPointer, with prefix: StaticString) -> Bool {
  let prefix = UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
  return bytes.count >= prefix.count && equalBytes(bytes.part(0, prefix.count), prefix)
}
