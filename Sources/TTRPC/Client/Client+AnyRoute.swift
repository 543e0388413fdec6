// Calls of methods whose messages are not known by their types: tools bring them encoded.

extension Client {
  /// Calls a method with one encoded request, and hands over each encoded reply as it comes: of a unary method one. A
  /// method to which the client sends a stream cannot be called so.
  public func call(
    _ route: AnyRoute, encoded request: [UInt8], timeout: Duration? = nil, each: ([UInt8]) throws -> Void
  ) throws {
    precondition(!route.shape.clientStreams, "\(route.method) takes a stream of requests")
    let (envelope, deadline) = try envelope(route.service, route.method, request, timeout)
    let channel = try connected(by: deadline)
    let call = try channel.begin(route.shape, envelope)
    channel.flush(until: deadline)
    guard route.shape.serverStreams else { return try each(channel.response(call, until: deadline)) }
    defer { channel.cancel(call, RPCError(.cancelled, "the caller gave the call up")) }
    while let reply = try channel.nextMessage(call, until: deadline) { try each(reply) }
  }
}
