// Which handler serves which method. Filled before the server starts, read-only from then on.

/// The methods that a server serves.
public struct Router: Sendable {
  private var methods: [Method] = []
  private var table = MethodTable([])
  private(set) var services: [String] = []

  public init() {}

  /// Serves a unary method.
  ///
  /// - Parameter gate: who may call; nil = everyone.
  public mutating func unary<Request, Response>(
    _ route: Route<Request, Response>, gate: Gate? = nil, approach: ApproachHandler? = nil,
    _ handler: @escaping UnaryHandler<Request>
  ) {
    precondition(route.shape == .unary, "\(route.method) is not unary")
    add(
      Method(
        route, gate: gate,
        unary: { (message, call) throws(RPCError) in
          try handler(message.assumingMemoryBound(to: Request.self), call)
        }, approach: approach))
  }

  /// Serves a method with a stream on either side or both.
  ///
  /// - Parameter gate: who may call; nil = everyone.
  public mutating func stream<Request, Response>(
    _ route: Route<Request, Response>, gate: Gate? = nil, _ handler: @escaping StreamHandler
  ) {
    precondition(route.shape != .unary, "\(route.method) is unary")
    add(Method(route, gate: gate, stream: handler))
  }

  /// Name and value of each method's own limit.
  var limits: [(name: String, value: UInt64)] { methods.map { ($0.limitName, UInt64($0.requestBytesMax)) } }

  /// The method that an envelope names; good as long as the router. Throws UNIMPLEMENTED naming what there is.
  @inline(__always)
  func method(
    service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer
  ) throws(RPCError) -> Unmanaged<Method> {
    if let method = table.find(service, name) { return method }
    throw unknown(String(decoding: service, as: UTF8.self), String(decoding: name, as: UTF8.self))
  }

  private mutating func add(_ method: Method) {
    precondition(
      !methods.contains { $0.name == method.name && $0.service == method.service }, "\(method.name) is served twice")
    if !services.contains(method.service) { services.append(method.service) }
    methods.append(method)
    table = MethodTable(methods)
  }

  private func unknown(_ service: String, _ name: String) -> RPCError {
    guard services.contains(service) else {
      return RPCError(.unimplemented, "unknown service \(service): this server has \(services.joined(separator: ", "))")
    }
    let names = methods.filter { $0.service == service }.map(\.name).sorted()
    return RPCError(.unimplemented, "\(service) has no method \(name): it has \(names.joined(separator: ", "))")
  }
}
