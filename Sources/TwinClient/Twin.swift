// Twins and their attributes.

import CTwindProto
import TTRPC

/// One customer's digital twin at one revision.
public struct Twin: Equatable, Sendable {
  /// `space/kind/id`
  public let name: String
  /// The sequence of the twin's last commit.
  public let revision: UInt64
  /// In byte order of their names.
  public let attributes: [Attribute]
  /// Facts that do not hold now but can matter later, when time passes or older facts arrive. Sorted by attribute, then
  /// by recorded time. Only in the snapshot of a watch, and in a list that asks for it.
  public let scheduled: [Fact]

  /// The value of an attribute; nil if the twin does not have it.
  public subscript(name: String) -> Value? { attributes.first { $0.name == name }?.value }
}

/// The value of an attribute, with its provenance. Times are microseconds since the Unix epoch.
public struct Attribute: Equatable, Sendable {
  public let name: String
  public let value: Value
  /// When the value begins to hold (inclusive).
  public let validFrom: Int64
  /// When it ceases to hold (exclusive); nil: never.
  public let validTo: Int64?
  public let recordedAt: Int64
  /// The agent that wrote it.
  public let agent: String
  /// How sure the writer was: above 0, at most 1; nil: not stated.
  public let confidence: Double?
  /// The source; nil: not stated.
  public let evidence: String?
  /// The sequence of the commit that recorded it.
  public let sequence: UInt64
  /// What the data is for; nil: not stated.
  public let purpose: String?
  /// The number that was added, if the value comes from an increment.
  public let increment: Value?
}

/// An attribute that a reply withheld, and why.
public struct Redaction: Equatable, Sendable {
  /// The twin's name; empty in replies about one twin.
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

/// nil for an empty text, which means "not stated".
func nonEmpty(_ text: UnsafeMutablePointer<CChar>) -> String? {
  text.pointee == 0 ? nil : String(cString: text)
}
