// Which work waits for which: each lane has threads of its own, so that a long list holds up no cold read, and no caller
// the operator.

/// The threads of the service that are not reactors.
package struct Lanes: Sendable {
  /// Twins that are not in memory: short reads.
  let cold = Workers(name: "cold", count: 1)
  /// Histories, reads as of a time, lists, and watches that read the disk.
  let long = Workers(name: "read", count: 2)
  /// Commits that have to wait: they stay in order.
  let commits = Workers(name: "commit", count: 1)
  /// Counters, for the operator.
  let operators = Workers(name: "operator", count: 1)
  /// Checkpoints and backups, which wait for each other in any case.
  let maintenance = Workers(name: "maintenance", count: 1)

  package init() {}

  /// Finishes what was submitted and ends the threads.
  package func stop() {
    for workers in [cold, long, commits, operators, maintenance] { workers.stop() }
  }
}
