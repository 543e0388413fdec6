// The present, as who reads the past is told it.

extension Store {
  /// The present, microseconds since the epoch: no earlier than the last commit.
  package var now: Int64 { clock.wallMicros() }

  /// The next commit is recorded after this.
  package var closedThrough: Int64 { clock.closedThrough }

  /// The present for who is told what is known now: as known then, it stays so. No later commit is recorded earlier,
  /// though the machine's clock be set back.
  package func present() -> Int64 {
    let now = self.now
    clock.close(now)
    return now
  }
}
