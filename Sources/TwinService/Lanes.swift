// Separate threads for different kinds of work, so that a long list does not delay cold reads, and callers do not delay
// the operator.

/// The service's threads, other than reactors.
package struct Lanes: Sendable {
  /// Twins that are not in memory: short reads.
  let cold = Workers(name: "cold", count: 1, niceness: Self.niceness)
  /// Histories, reads as of a time, lists, and watches that read the disk.
  let long = Workers(name: "read", count: 2, niceness: Self.niceness)
  /// Commits that have to wait: they stay in order.
  let commits = Workers(name: "commit", count: 1)
  /// Counters, for the operator.
  let operators = Workers(name: "operator", count: 1)
  /// Checkpoints and backups, which wait for each other in any case.
  let maintenance = Workers(name: "maintenance", count: 1, niceness: Self.niceness)

  /// If there are few cores, the serving threads have priority: they take microseconds, these take milliseconds.
  private static let niceness: Int32 = 5

  package init() {}

  /// Finishes submitted jobs and ends the threads.
  package func stop() {
    for workers in [cold, long, commits, operators, maintenance] { workers.stop() }
  }
}
