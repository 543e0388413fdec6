// The same calls for Swift concurrency: nothing blocks a thread of the cooperative pool. One thread a connection reads.

extension Client {
  /// Calls a unary method. Cancelling the task cancels the call.
  public func callAsync<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>, timeout: Duration? = nil
  ) async throws -> Received<Response> {
    let pending = try start(route, request, timeout: timeout)
    return try await pending.received()
  }

  /// The messages of a server's stream. Ending the iteration cancels the call.
  public func messages<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>, timeout: Duration? = nil
  ) throws(RPCError) -> AsyncThrowingStream<Received<Response>, any Error> {
    let stream = try stream(route, request, timeout: timeout)
    ensureReader(stream.channel)
    let timer = stream.channel.expire(stream.call, at: stream.deadlineNanos)
    return AsyncThrowingStream { continuation in
      continuation.onTermination = { _ in
        timer?.cancel()
        stream.cancel()
      }
      stream.channel.onChange(stream.call) {
        while true {
          switch stream.channel.poll(stream.call) {
          case (let bytes?, _):
            do {
              continuation.yield(try Received(bytes))
            } catch {
              return continuation.finish(throwing: error)
            }
          case (nil, .success): return continuation.finish()
          case (nil, .failure(let error)): return continuation.finish(throwing: error)
          case (nil, nil): return
          }
        }
      }
    }
  }
}
