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
    let size = withAttribute(of: commit) { twind__v1__attribute__get_packed_size($0) }
    recordSize = 1 + varintSize(size) + size
  }

  /// That a twin is deleted nobody is kept from knowing.
  package var classBits: UInt32 { isDeletion ? ~0 : Permit.ordinaryClass }

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
  func write(to place: UnsafeMutableRawPointer, of commit: Commit) -> Int {
    withAttribute(of: commit) { message in
      let size = twind__v1__attribute__get_packed_size(message)
      place.storeBytes(of: Fact.recordTag, as: UInt8.self)
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
    var sum = Twind__V1__Value()
    var delta = Twind__V1__Value()
    twind__v1__value__init(&sum)
    twind__v1__value__init(&delta)
    return withUnsafeMutablePointer(to: &sum) { sum in
      withUnsafeMutablePointer(to: &delta) { delta in
        var message = Twind__V1__Attribute()
        twind__v1__attribute__init(&message)
        fill(&message, of: commit)
        switch change {
        case .set(let value):
          message.value = UnsafeMutablePointer(mutating: value)
        case .int(let number, let added):
          sum.pointee.kind_case = TWIND__V1__VALUE__KIND_INT_VALUE
          sum.pointee.int_value = number
          delta.pointee.kind_case = TWIND__V1__VALUE__KIND_INT_VALUE
          delta.pointee.int_value = added
          (message.value, message.increment) = (sum, delta)
        case .double(let number, let added):
          sum.pointee.kind_case = TWIND__V1__VALUE__KIND_DOUBLE_VALUE
          sum.pointee.double_value = number
          delta.pointee.kind_case = TWIND__V1__VALUE__KIND_DOUBLE_VALUE
          delta.pointee.double_value = added
          (message.value, message.increment) = (sum, delta)
        case .removal, .deletion:
          break
        }
        return withUnsafePointer(to: message, body)
      }
    }
  }

  private func fill(_ message: inout Twind__V1__Attribute, of commit: Commit) {
    message.name = attribute.mutable
    message.valid_from_time = validFrom
    message.valid_to_time = validTo
    message.recorded_at = commit.recordedAt
    message.agent = commit.agent.mutable
    message.confidence = confidence
    message.evidence = evidence.mutable
    message.sequence = commit.sequence
    message.purpose = commit.purpose.mutable
  }
}
