// The grammar of the short words in a request: attribute names, purposes, agents, evidence, idempotency keys.

/// Parts of `[a-z][a-z0-9_]{0,62}` joined by `.`, at most 127 bytes.
package func checkAttributeName(_ name: UnsafeRawBufferPointer) throws(TwinError) {
  if name.count > Limits.attributeNameBytesMax {
    throw .limit(
      .invalidArgument, "the attribute name \(quoted(name))", "attributeNameBytesMax",
      maximum: Limits.attributeNameBytesMax, actual: name.count)
  }
  var partBytes = 0
  for byte in name {
    if byte == UInt8(ascii: ".") && partBytes > 0 {
      partBytes = 0
    } else if isLower(byte) || (partBytes > 0 && (isDigit(byte) || byte == UInt8(ascii: "_"))) {
      partBytes += 1
    } else {
      partBytes = 0
      break
    }
    if partBytes > Limits.attributePartBytesMax { break }
  }
  if partBytes == 0 || partBytes > Limits.attributePartBytesMax {
    throw .invalid("the attribute name \(quoted(name)) must be parts of [a-z][a-z0-9_]{0,62} joined by dots")
  }
}

/// `[a-z][a-z0-9_-]{0,62}`, or empty for not stated.
package func checkPurpose(_ purpose: UnsafeRawBufferPointer) throws(TwinError) {
  guard let first = purpose.first else { return }
  let rest = purpose.allSatisfy {
    isLower($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
  }
  if purpose.count > Limits.purposeBytesMax || !isLower(first) || !rest {
    throw .invalid("the purpose \(quoted(purpose)) must match [a-z][a-z0-9_-]{0,62}")
  }
}

/// 1 to 128 bytes of UTF-8 without control characters.
package func checkAgent(_ agent: UnsafeRawBufferPointer) throws(TwinError) {
  if agent.isEmpty { throw .invalid("the agent name is empty") }
  try checkWord(agent, "the agent", "agentBytesMax", Limits.agentBytesMax)
}

/// At most 128 bytes of UTF-8 without control characters.
func checkEvidence(_ evidence: UnsafeRawBufferPointer, of attribute: UnsafeRawBufferPointer) throws(TwinError) {
  if evidence.isEmpty { return }
  try checkWord(evidence, "the evidence of \(quoted(attribute)),", "evidenceBytesMax", Limits.evidenceBytesMax)
}

/// At most 64 bytes of UTF-8 without control characters.
func checkIdempotencyKey(_ key: UnsafeRawBufferPointer) throws(TwinError) {
  if key.isEmpty { return }
  try checkWord(key, "the idempotency key", "idempotencyKeyBytesMax", Limits.idempotencyKeyBytesMax)
}

private func checkWord(
  _ word: UnsafeRawBufferPointer, _ what: @autoclosure () -> String, _ limit: String, _ maximum: Int
) throws(TwinError) {
  if word.count > maximum {
    throw .limit(.invalidArgument, "\(what()) \(quoted(word))", limit, maximum: maximum, actual: word.count)
  }
  if !isUTF8(word) || holdsControl(word) {
    throw .invalid("\(what()) \(quoted(word)) must be UTF-8 without control characters")
  }
}
