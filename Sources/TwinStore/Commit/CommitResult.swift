// What a write did; returned again when its idempotency key is.

package struct CommitResult: Equatable, Sendable {
  /// The commit's sequence; when nothing changed, the sequence of the last commit.
  package let sequence: UInt64
  /// Each twin's revision after the commit, in the order of the request; 0 = it never existed.
  package let revisions: [UInt64]
  /// 0 = nothing changed.
  package let factCount: Int

  package init(sequence: UInt64, revisions: [UInt64], factCount: Int) {
    self.sequence = sequence
    self.revisions = revisions
    self.factCount = factCount
  }
}
