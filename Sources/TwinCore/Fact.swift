// One immutable recorded change of one attribute, and how it is encoded.
//
// A fact stands in a commit, which gives it sequence, recorded time, agent and purpose. It borrows names and
// values from the request (or, later, the journal record) that it was decided from. Decide makes facts, apply
// writes them into images.

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
  package let classBits = Permit.ordinaryClass
  /// Bytes of its record: the attribute that it sets, or the name that it removes.
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
    switch change {
    case .set, .int, .double:
      let size = withAttribute(of: commit) { twind__v1__attribute__get_packed_size($0) }
      recordSize = 1 + varintSize(size) + size
    case .removal:
      recordSize = 2 + attribute.count
    case .deletion:
      recordSize = 0
    }
  }

  /// Whether the attribute is there afterwards.
  package var isSet: Bool {
    switch change {
    case .set, .int, .double: true
    case .removal, .deletion: false
    }
  }
}

// MARK: - Encoding

extension Fact {
  private static let attributesTag: UInt8 = 0x1a
  private static let removedTag: UInt8 = 0x22

  /// Writes `recordSize` bytes and returns how far behind the first one the name lies.
  func write(to place: UnsafeMutableRawPointer, of commit: Commit) -> Int {
    guard isSet else {
      place.storeBytes(of: Fact.removedTag, as: UInt8.self)
      let name = writeVarint(attribute.count, to: place + 1)
      name.copyMemory(from: attribute.start, byteCount: attribute.count)
      return name - place
    }
    return withAttribute(of: commit) { message in
      let size = twind__v1__attribute__get_packed_size(message)
      place.storeBytes(of: Fact.attributesTag, as: UInt8.self)
      let body = writeVarint(size, to: place + 1)
      let written = twind__v1__attribute__pack(message, body.assumingMemoryBound(to: UInt8.self))
      precondition(body + written - place == recordSize, "the request changed while it was applied")
      return body - place + 2
    }
  }

  /// The fact as the message that readers get.
  private func withAttribute<R>(
    of commit: Commit, _ body: (UnsafePointer<Twind__V1__Attribute>) -> R
  ) -> R {
    var made = Twind__V1__Value()
    twind__v1__value__init(&made)
    return withUnsafeMutablePointer(to: &made) { made in
      var message = Twind__V1__Attribute()
      twind__v1__attribute__init(&message)
      message.name = attribute.mutable
      switch change {
      case .set(let value):
        message.value = UnsafeMutablePointer(mutating: value)
      case .int(let sum, _):
        made.pointee.kind_case = TWIND__V1__VALUE__KIND_INT_VALUE
        made.pointee.int_value = sum
        message.value = made
      case .double(let sum, _):
        made.pointee.kind_case = TWIND__V1__VALUE__KIND_DOUBLE_VALUE
        made.pointee.double_value = sum
        message.value = made
      case .removal, .deletion:
        break
      }
      message.valid_from_time = validFrom
      message.valid_to_time = validTo
      message.recorded_at = commit.recordedAt
      message.agent = commit.agent.mutable
      message.confidence = confidence
      message.evidence = evidence.mutable
      message.sequence = commit.sequence
      message.purpose = commit.purpose.mutable
      return withUnsafePointer(to: message, body)
    }
  }
}
