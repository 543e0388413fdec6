// Where a session's work runs: on a reactor, or in a test's loop.

/// Runs jobs one after the other on the thread that owns a session.
public protocol Executor: AnyObject, Sendable {
  /// Runs the job soon. Jobs of a connection run in order; among connections the one that was served least is next. May
  /// be called from any thread.
  func post(for call: ServerCall?, _ job: @escaping @Sendable () -> Void)
}

extension Executor {
  /// Runs a job that belongs to no connection soon.
  public func post(_ job: @escaping @Sendable () -> Void) { post(for: nil, job) }
}

/// The connection of a session. Called on the session's thread.
protocol SessionHost: AnyObject {
  /// Frames were added to `session.output` outside of `receive`.
  func outputPending()
  /// Call `session.tick` no later than this, on the monotonic clock.
  func wake(at nanos: UInt64)
}
