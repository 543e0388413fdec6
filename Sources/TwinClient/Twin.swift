// A twin as a client holds it.

import CTwindProto
import TTRPC

/// One customer's digital twin, whole at one revision.
public struct Twin: Equatable, Sendable {
  /// `space/kind/id`
  public let name: String
  /// The sequence of the twin's last commit.
  public let revision: UInt64
  /// In byte order of their names.
  public let attributes: [Attribute]
  /// In the snapshot of a watch, and in a list that asks for it: what can count later, as time passes or older facts
  /// come. By attribute, then in the order of its recording.
  public let scheduled: [Fact]

  /// An attribute's value; nil when the twin does not have it.
  public subscript(name: String) -> Value? { attributes.first { $0.name == name }?.value }
}

/// One attribute's current value and where it came from. Times are microseconds since the Unix epoch.
public struct Attribute: Equatable, Sendable {
  public let name: String
  public let value: Value
  /// The value holds from here on (inclusive).
  public let validFrom: Int64
  /// It holds until here (exclusive); nil = open.
  public let validTo: Int64?
  public let recordedAt: Int64
  /// Who wrote it.
  public let agent: String
  /// Above 0, at most 1; nil = not stated.
  public let confidence: Double?
  /// What it is based on; nil = not stated.
  public let evidence: String?
  /// The sequence of the commit that recorded it.
  public let sequence: UInt64
  /// What the writer wrote it for; nil = not stated.
  public let purpose: String?
  /// What was added, when an increment made the value.
  public let increment: Value?
}

/// Something that a reply withheld, and why.
public struct Redaction: Equatable, Sendable {
  /// The twin's name in replies about many, else empty.
  public let twin: String
  public let attribute: String
  public let reason: String
}

extension Twin {
  package init(_ message: UnsafePointer<Twind__V1__Twin>) {
    name = String(cString: message.pointee.name)
    revision = message.pointee.revision
    attributes = messages(message.pointee.attributes, message.pointee.n_attributes).map { Attribute($0) }
    scheduled = messages(message.pointee.scheduled, message.pointee.n_scheduled).map { Fact($0) }
  }
}

extension Attribute {
  init(_ message: UnsafePointer<Twind__V1__Attribute>) {
    let attribute = message.pointee
    name = String(cString: attribute.name)
    value = Value(attribute.value)
    validFrom = attribute.valid_from_time
    validTo = attribute.valid_to_time == 0 ? nil : attribute.valid_to_time
    recordedAt = attribute.recorded_at
    agent = String(cString: attribute.agent)
    confidence = attribute.confidence == 0 ? nil : attribute.confidence
    evidence = nonEmpty(attribute.evidence)
    sequence = attribute.sequence
    purpose = nonEmpty(attribute.purpose)
    increment = attribute.increment.map { Value($0) }
  }
}

extension Redaction {
  init(_ message: UnsafePointer<Twind__V1__Redaction>) {
    twin = String(cString: message.pointee.twin)
    attribute = String(cString: message.pointee.attribute)
    reason = String(cString: message.pointee.reason)
  }
}

/// The elements of a repeated message field.
func messages<Message>(
  _ start: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, _ count: Int
) -> [UnsafePointer<Message>] {
  guard let start else { return [] }
  return (0..<count).compactMap { start[$0].map { UnsafePointer($0) } }
}

/// nil for the empty text that stands for what is not stated.
func nonEmpty(_ text: UnsafeMutablePointer<CChar>) -> String? {
  text.pointee == 0 ? nil : String(cString: text)
}
