// The present, as who reads the past is told it.

extension Store {
  /// The present, microseconds since the epoch: no earlier than the last commit.
  package var now: Int64 { clock.wallMicros() }

  /// What the next commit would be recorded at.
  package var nextCommitTime: Int64 { clock.nextCommitMicros() }

  /// The present for who is told what is known now: as known then, it stays so. No later commit is recorded earlier,
  /// though the machine's clock be set back.
  package func present() -> Int64 {
    let now = self.now
    clock.close(now)
    return now
  }
}
