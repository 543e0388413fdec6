// Where a session's work runs: one reactor, or a test's own loop.

/// Runs jobs one after the other on the thread that owns a session.
public protocol Executor: AnyObject, Sendable {
  /// Runs the job soon, after those posted before for the same call's connection, or for none. Jobs of different
  /// connections may run in another order: who was served least is next. May be called from any thread.
  func post(for call: ServerCall?, _ job: @escaping @Sendable () -> Void)
}

extension Executor {
  /// Runs the job soon; it is nobody's.
  public func post(_ job: @escaping @Sendable () -> Void) { post(for: nil, job) }
}

/// What a session asks of the connection that carries it. Called on the session's thread.
protocol SessionHost: AnyObject {
  /// Frames were added to `session.output` outside of `receive`.
  func outputPending()
  /// Call `session.tick` no later than this, on the monotonic clock.
  func wake(at nanos: UInt64)
}
