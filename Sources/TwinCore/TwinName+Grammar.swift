// The grammar of names: space, kind, id, and the prefixes that lists and watches take.
//
// Promises: what is refused is named, with the rule that it breaks.

/// `[a-z][a-z0-9-]{0,62}`.
func checkSpaceOrKind(
  _ part: UnsafeRawBufferPointer, _ what: String, in name: UnsafeRawBufferPointer
) throws(TwinError) {
  let isGood =
    part.count <= Limits.spaceBytesMax && part.first.map(isLower) == true
    && part.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  if !isGood {
    throw .invalid("the \(what) \(quoted(part)) in \(quoted(name)) must match [a-z][a-z0-9-]{0,62}")
  }
}

/// At most 200 bytes of UTF-8 without slash and control characters. An empty one passes: it is a prefix's.
func checkID(_ id: UnsafeRawBufferPointer, in name: UnsafeRawBufferPointer) throws(TwinError) {
  if id.count > Limits.idBytesMax {
    throw .limit(
      .invalidArgument, "the id in \(quoted(name))", "idBytesMax", maximum: Limits.idBytesMax, actual: id.count)
  }
  if id.contains(UInt8(ascii: "/")) {
    throw .invalid("the id in \(quoted(name)) contains a slash: write space/kind/id")
  }
  guard isUTF8(id) else { throw .invalid("the id in \(quoted(name)) is not UTF-8") }
  if holdsControl(id) { throw .invalid("the id in \(quoted(name)) contains a control character") }
}

/// Checks what a list or a watch begins its names with: "", "space/", "space/kind/" or "space/kind/idpart".
/// The part of the id may end within a character.
package func checkPrefix(_ prefix: UnsafeRawBufferPointer) throws(TwinError) {
  if prefix.isEmpty { return }
  let forms = "write nothing, space/, space/kind/ or space/kind/start-of-id"
  guard let first = prefix.firstIndex(of: UInt8(ascii: "/")) else {
    throw .invalid("the prefix \(quoted(prefix)) has no slash: \(forms)")
  }
  try checkSpaceOrKind(prefix.part(0, first), "space", in: prefix)
  let rest = prefix.part(first + 1, prefix.count - first - 1)
  if rest.isEmpty { return }
  guard let second = rest.firstIndex(of: UInt8(ascii: "/")) else {
    throw .invalid("the prefix \(quoted(prefix)) ends in the middle of a kind: \(forms)")
  }
  try checkSpaceOrKind(rest.part(0, second), "kind", in: prefix)
  let id = rest.part(second + 1, rest.count - second - 1)
  if id.count > Limits.idBytesMax {
    throw .limit(
      .invalidArgument, "the id in \(quoted(prefix))", "idBytesMax", maximum: Limits.idBytesMax, actual: id.count)
  }
  if id.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "/") }) {
    throw .invalid("the prefix \(quoted(prefix)) contains a control character or a third slash: \(forms)")
  }
}

/// C0, DEL or, in UTF-8, C1.
func holdsControl(_ text: UnsafeRawBufferPointer) -> Bool {
  var before: UInt8 = 0
  for byte in text {
    if byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte < 0xa0) { return true }
    before = byte
  }
  return false
}

func isLower(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
