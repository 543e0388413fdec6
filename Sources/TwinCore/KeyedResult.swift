// The result of a write that had an idempotency key, as the journal carries it.

package struct KeyedResult: Equatable, Sendable {
  /// Space, agent and key, each ended by NUL.
  package let scope: [UInt8]
  package let requestHash: UInt64
  /// The commit's sequence; when nothing changed, the sequence of the last commit.
  package let sequence: UInt64
  /// Each twin's revision after the commit, in the order of the request.
  package let revisions: [UInt64]
  package let factCount: Int

  package init(scope: [UInt8], requestHash: UInt64, sequence: UInt64, revisions: [UInt64], factCount: Int) {
    self.scope = scope
    self.requestHash = requestHash
    self.sequence = sequence
    self.revisions = revisions
    self.factCount = factCount
  }
}
