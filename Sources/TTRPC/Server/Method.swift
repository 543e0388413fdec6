// Methods and their handlers.

/// Handles unary calls on the reactor's thread, so it must not block. The request is valid until the handler returns;
/// to reply later, use `call.deferred()` and copy what is needed.
public typealias UnaryHandler<Request> =
  @Sendable (UnsafePointer<Request>, borrowing UnaryCall) throws(RPCError) -> Void

/// Starts a streaming call on the reactor's thread: sets the call's callbacks and returns.
public typealias StreamHandler = @Sendable (ServerCall) throws(RPCError) -> Void

/// Called with the unchecked request of the connection's next call before the current one is handled. It may prefetch
/// what the call will need into the processor's cache, and must do nothing else.
public typealias ApproachHandler = @Sendable (UnsafeRawBufferPointer) -> Void

/// Checks the caller before the request is read. Throws PERMISSION_DENIED or UNAUTHENTICATED.
public typealias Gate = @Sendable (Peer) throws(RPCError) -> Void

/// A method and its handler. It lives as long as the router.
final class Method: Sendable {
  /// Handlers are properties and not enum payloads, because calling a constant property needs no reference counting.
  typealias Unary = @Sendable (UnsafeRawPointer, borrowing UnaryCall) throws(RPCError) -> Void

  let service: String
  let name: String
  let shape: StreamingShape
  let requestBytesMax: Int
  /// The name of this method's `requestBytesMax` limit.
  var limitName: String { name + ".requestBytesMax" }
  let request: Descriptor
  /// For unary methods.
  let unary: Unary
  /// For all others.
  let stream: StreamHandler
  let approach: ApproachHandler?
  let gate: Gate?

  init<Request, Response>(
    _ route: Route<Request, Response>, gate: Gate?, unary: @escaping Unary = { (_, _) throws(RPCError) in },
    stream: @escaping StreamHandler = { (_) throws(RPCError) in }, approach: ApproachHandler? = nil
  ) {
    service = route.service
    name = route.method
    shape = route.shape
    requestBytesMax = route.requestBytesMax
    request = Request.descriptor
    self.unary = unary
    self.stream = stream
    self.approach = approach
    self.gate = gate
  }
}
