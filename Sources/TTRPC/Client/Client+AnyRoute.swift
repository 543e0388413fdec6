// Calls with encoded messages, for tools that do not know the types.

extension Client {
  /// Calls a unary or server-streaming method with an encoded request, and passes on each encoded reply as it arrives.
  public func call(
    _ route: AnyRoute, encoded request: [UInt8], timeout: Duration? = nil, each: ([UInt8]) throws -> Void
  ) throws {
    precondition(!route.shape.clientStreams, "\(route.method) takes a stream of requests")
    let (envelope, deadline) = try envelope(route.service, route.method, request, timeout)
    let channel = try connected(by: deadline)
    let call = try channel.begin(route.shape, envelope)
    channel.flush(until: deadline)
    guard route.shape.serverStreams else { return try each(channel.response(call, until: deadline)) }
    defer { channel.cancel(call, RPCError(.cancelled, "the caller cancelled the call")) }
    while let reply = try channel.nextMessage(call, until: deadline) { try each(reply) }
  }
}
