// A write that passed every check that needs no state: what the commit section decides on.
//
// Promises: names and attributes keep their grammar, no twin and no attribute stands in it twice, its counts are
// within their limits. Borrows from the request it was made of.

import CTwindProto

package struct Command {
  /// The method that was called.
  package enum Method: Sendable {
    case update, batch, delete
  }

  package enum Precondition: Equatable {
    case none
    /// The twin's revision; 0 = it must never have existed.
    case revision(UInt64)
    case mustNotExist
  }

  package enum Operation {
    /// In byte order of the attributes.
    case update([UnsafePointer<Twind__V1__Change>])
    case delete
  }

  package struct Twin {
    package let name: TwinName
    package let precondition: Precondition
    package let operation: Operation
  }

  package let method: Method
  /// In the order of the request.
  package let twins: [Twin]
  package let agent: Text
  package let purpose: Text
  /// Empty = none.
  package let idempotencyKey: Text
  package let durability: Twind__V1__Durability

  init(
    _ method: Method, twins: [Twin], agent: Text, purpose: Text, idempotencyKey: Text,
    durability: Twind__V1__Durability
  ) throws(TwinError) {
    try checkAgent(agent.bytes)
    try checkPurpose(purpose.bytes)
    try checkIdempotencyKey(idempotencyKey.bytes)
    if durability.rawValue > TWIND__V1__DURABILITY__DURABILITY_SYNCED.rawValue {
      throw .invalid("durability \(durability.rawValue) is unknown: use MEMORY, JOURNALED or SYNCED")
    }
    self.method = method
    self.twins = twins
    self.agent = agent
    self.purpose = purpose
    self.idempotencyKey = idempotencyKey
    self.durability = durability
  }
}
