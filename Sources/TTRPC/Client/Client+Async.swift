// Async calls. They do not block threads of the cooperative pool: each connection has a thread that reads.

extension Client {
  /// Calls a unary method. Cancelling the task cancels the call.
  public func callAsync<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>, timeout: Duration? = nil
  ) async throws -> Received<Response> {
    let pending = try start(route, request, timeout: timeout)
    return try await pending.received()
  }

  /// The messages of a server-streaming call. Ending the iteration cancels the call.
  public func messages<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>, timeout: Duration? = nil
  ) throws(RPCError) -> AsyncThrowingStream<Received<Response>, any Error> {
    let stream = try begin(route, request, timeout)
    ensureReader(stream.channel)
    stream.channel.expire(stream.call, at: stream.deadlineNanos)
    stream.channel.flush(until: 0)
    return AsyncThrowingStream { try await stream.nextAsync() }
  }
}
