// Where a session's work runs: one reactor, or a test's own loop.

/// Runs jobs one after the other on the thread that owns a session.
public protocol Executor: AnyObject, Sendable {
  /// Runs the job soon. May be called from any thread.
  func post(_ job: @escaping @Sendable () -> Void)
}

/// What a session asks of the connection that carries it. Called on the session's thread.
protocol SessionHost: AnyObject {
  /// Frames were added to `session.output` outside of `receive`.
  func outputPending()
  /// Call `session.tick` no later than this, on the monotonic clock.
  func wake(at nanos: UInt64)
}
