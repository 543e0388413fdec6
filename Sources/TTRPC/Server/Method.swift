// One method of a service and what serves it.

/// Serves unary calls on the reactor's thread: it must not block. The request lives until the handler returns; one that
/// answers later takes `call.deferred()` and keeps copies.
public typealias UnaryHandler<Request> =
  @Sendable (UnsafePointer<Request>, borrowing UnaryCall) throws(RPCError) -> Void

/// Begins a streaming call on the reactor's thread. It sets the call's callbacks and returns.
public typealias StreamHandler = @Sendable (ServerCall) throws(RPCError) -> Void

/// Gets the request of a call that comes next on its connection, as it was sent and not yet checked, while another one is
/// still to be served. It may fetch into the processor's cache what the call will need, and nothing else.
public typealias ApproachHandler = @Sendable (UnsafeRawBufferPointer) -> Void

/// Judges who calls before anything of the request is looked at. Throws PERMISSION_DENIED or UNAUTHENTICATED.
public typealias Gate = @Sendable (Peer) throws(RPCError) -> Void

/// A method and its handler. Lives as long as the router.
final class Method: Sendable {
  /// A handler is a property and no enumeration's payload: a property that never changes is called where it lies,
  /// without counting a reference to it.
  typealias Unary = @Sendable (UnsafeRawPointer, borrowing UnaryCall) throws(RPCError) -> Void

  let service: String
  let name: String
  let shape: StreamingShape
  let requestBytesMax: Int
  /// The name of `requestBytesMax`, which each method has for itself.
  var limitName: String { name + ".requestBytesMax" }
  let request: Descriptor
  /// Of a unary method.
  let unary: Unary
  /// Of every other.
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
