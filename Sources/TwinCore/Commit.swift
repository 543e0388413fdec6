// The heading of a commit: what all its facts have in common.

package struct Commit {
  package let sequence: UInt64
  /// Microseconds since the epoch.
  package let recordedAt: Int64
  package let agent: Text
  package let purpose: Text

  package init(sequence: UInt64, recordedAt: Int64, agent: Text, purpose: Text) {
    self.sequence = sequence
    self.recordedAt = recordedAt
    self.agent = agent
    self.purpose = purpose
  }
}
