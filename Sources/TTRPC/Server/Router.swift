// The table of methods and handlers. It is filled before the server starts and does not change afterwards.

/// The methods that a server serves.
public struct Router: Sendable {
  private var methods: [Method] = []
  private var table = MethodTable([])
  private(set) var services: [String] = []
  private let operators: Gate?
  /// Makes the context of a new connection, which its calls share: who the caller is, for example.
  public var admit: @Sendable (Peer) -> AnyObject = { _ in NoContext.shared }

  /// - Parameter operators: lets operators through, to the methods that only they may call. It must be given if there are
  ///   any.
  public init(operators: Gate? = nil) { self.operators = operators }

  /// Serves a unary method.
  public mutating func unary<Request, Response>(
    _ route: Route<Request, Response>, approach: ApproachHandler? = nil, _ handler: @escaping UnaryHandler<Request>
  ) {
    precondition(route.shape == .unary, "\(route.method) is not unary")
    add(
      Method(
        route, gate: gate(of: route),
        unary: { (message, call) throws(RPCError) in
          try handler(message.assumingMemoryBound(to: Request.self), call)
        }, approach: approach))
  }

  /// Serves a method with a stream on either side or both.
  public mutating func stream<Request, Response>(_ route: Route<Request, Response>, _ handler: @escaping StreamHandler)
  {
    precondition(route.shape != .unary, "\(route.method) is unary")
    add(Method(route, gate: gate(of: route), stream: handler))
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

  private func gate<Request, Response>(of route: Route<Request, Response>) -> Gate? {
    guard route.caller == .operators else { return nil }
    precondition(operators != nil, "\(route.method) is for operators: the router must know who they are")
    return operators
  }

  private mutating func add(_ method: Method) {
    precondition(
      !methods.contains { $0.name == method.name && $0.service == method.service }, "\(method.name) is served twice")
    if !services.contains(method.service) { services.append(method.service) }
    methods.append(method)
    table = MethodTable(methods)
  }

  /// The context of connections for which the service has none.
  private final class NoContext: Sendable {
    static let shared = NoContext()
  }

  private func unknown(_ service: String, _ name: String) -> RPCError {
    guard services.contains(service) else {
      return RPCError(.unimplemented, "unknown service \(service): this server has \(services.joined(separator: ", "))")
    }
    let names = methods.filter { $0.service == service }.map(\.name).sorted()
    return RPCError(.unimplemented, "\(service) has no method \(name): it has \(names.joined(separator: ", "))")
  }
}
