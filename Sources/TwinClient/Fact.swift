// Facts: the recorded changes that histories and watches return.

import CTwindProto
import TTRPC

/// A recorded change of one attribute. It never changes. Times are microseconds since the Unix epoch.
public struct Fact: Equatable, Sendable {
  public enum Change: Equatable, Sendable {
    case set(Value)
    /// The sum, and the number that was added.
    case increment(Value, by: Value)
    /// The attribute has no value while the fact holds.
    case removal
    /// The twin was deleted, with all the attributes that it had.
    case deletion
  }

  /// Empty if the twin was deleted.
  public let attribute: String
  public let change: Change
  /// When it begins to hold (inclusive).
  public let validFrom: Int64
  /// When it ceases to hold (exclusive); nil: never.
  public let validTo: Int64?
  public let recordedAt: Int64
  /// The agent that recorded it.
  public let agent: String
  /// How sure the writer was: above 0, at most 1; nil: not stated.
  public let confidence: Double?
  /// The source; nil: not stated.
  public let evidence: String?
  /// What the data is for; nil: not stated.
  public let purpose: String?
  /// The sequence of the commit that recorded it.
  public let sequence: UInt64
  /// Its number within the commit; nil in watches.
  public let ordinal: UInt32?

  public init(
    _ attribute: String, _ change: Change, validFrom: Int64, validTo: Int64? = nil, recordedAt: Int64, agent: String,
    confidence: Double? = nil, evidence: String? = nil, purpose: String? = nil, sequence: UInt64, ordinal: UInt32? = nil
  ) {
    self.attribute = attribute
    self.change = change
    self.validFrom = validFrom
    self.validTo = validTo
    self.recordedAt = recordedAt
    self.agent = agent
    self.confidence = confidence
    self.evidence = evidence
    self.purpose = purpose
    self.sequence = sequence
    self.ordinal = ordinal
  }

  /// The attribute's value while the fact holds; nil: it has none.
  public var value: Value? {
    switch change {
    case .set(let value), .increment(let value, by: _): value
    case .removal, .deletion: nil
    }
  }
}

extension Fact {
  init(_ message: UnsafePointer<Twind__V1__Fact>) {
    let change: Change? =
      if message.pointee.deleted != 0 { .deletion } else if message.pointee.removed != 0 { .removal } else { nil }
    self.init(message.pointee.attribute, change, ordinal: message.pointee.ordinal)
  }

  /// A fact that a watch delivers.
  init(_ message: UnsafePointer<Twind__V1__Attribute>) { self.init(UnsafeMutablePointer(mutating: message), nil) }

  /// - Parameter change: nil: take it from the attribute.
  private init(
    _ message: UnsafeMutablePointer<Twind__V1__Attribute>?, _ change: Change?, ordinal: UInt32? = nil
  ) {
    guard let message else {
      self.init("", change ?? .removal, validFrom: 0, recordedAt: 0, agent: "", sequence: 0, ordinal: ordinal)
      return
    }
    let attribute = message.pointee
    let stated: Change =
      switch (attribute.value, attribute.increment) {
      case (let value?, let delta?): .increment(Value(value), by: Value(delta))
      case (let value?, nil): .set(Value(value))
      case (nil, _): .removal
      }
    self.init(
      String(cString: attribute.name), change ?? stated, validFrom: attribute.valid_from_time,
      validTo: attribute.valid_to_time == 0 ? nil : attribute.valid_to_time, recordedAt: attribute.recorded_at,
      agent: String(cString: attribute.agent), confidence: attribute.confidence == 0 ? nil : attribute.confidence,
      evidence: nonEmpty(attribute.evidence), purpose: nonEmpty(attribute.purpose), sequence: attribute.sequence,
      ordinal: ordinal)
  }
}
