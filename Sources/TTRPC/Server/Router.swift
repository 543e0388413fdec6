// Which handler serves which method. Filled before the server starts, read-only from then on.

/// Serves unary calls on the reactor's thread: it must not block. The request lives until the handler returns; one that
/// answers later takes `call.deferred()` and keeps copies.
public typealias UnaryHandler<Request> =
  @Sendable (UnsafePointer<Request>, borrowing UnaryCall) throws(RPCError) -> Void

/// Begins a streaming call on the reactor's thread. It sets the call's callbacks and returns.
public typealias StreamHandler = @Sendable (ServerCall) throws(RPCError) -> Void

/// One method and its handler.
final class Method: Sendable {
  enum Handler: Sendable {
    case unary(@Sendable (UnsafeRawPointer, borrowing UnaryCall) throws(RPCError) -> Void)
    case stream(StreamHandler)
  }

  let service: String
  let name: String
  let shape: StreamingShape
  let requestBytesMax: Int
  let request: Descriptor
  let handler: Handler

  init<Request, Response>(_ route: Route<Request, Response>, _ handler: Handler) {
    service = route.service
    name = route.method
    shape = route.shape
    requestBytesMax = route.requestBytesMax
    request = Request.descriptor
    self.handler = handler
  }
}

/// The methods that a server serves.
public struct Router: Sendable {
  /// Open addressing over a power of two, at most half full.
  private var slots: [Method?] = Array(repeating: nil, count: 16)
  private var count = 0
  private(set) var services: [String] = []

  public init() {}

  /// Serves a unary method.
  public mutating func unary<Request, Response>(
    _ route: Route<Request, Response>, _ handler: @escaping UnaryHandler<Request>
  ) {
    precondition(route.shape == .unary, "\(route.method) is not unary")
    add(
      Method(
        route,
        .unary { (message, call) throws(RPCError) in
          try handler(message.assumingMemoryBound(to: Request.self), call)
        }))
  }

  /// Serves a method with a stream on either side or both.
  public mutating func stream<Request, Response>(_ route: Route<Request, Response>, _ handler: @escaping StreamHandler)
  {
    precondition(route.shape != .unary, "\(route.method) is unary")
    add(Method(route, .stream(handler)))
  }

  /// The method that an envelope names. Throws UNIMPLEMENTED naming what there is.
  @inline(__always)
  func method(service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) throws(RPCError) -> Method {
    var slot = Self.hash(service, name) & (slots.count - 1)
    while let method = slots[slot] {
      if Self.equal(method.name, name) && Self.equal(method.service, service) { return method }
      slot = (slot + 1) & (slots.count - 1)
    }
    throw unknown(String(decoding: service, as: UTF8.self), String(decoding: name, as: UTF8.self))
  }

  private mutating func add(_ method: Method) {
    if !services.contains(method.service) { services.append(method.service) }
    count += 1
    if count * 2 > slots.count {
      let old = slots.compactMap { $0 }
      slots = Array(repeating: nil, count: slots.count * 2)
      for method in old { insert(method) }
    }
    insert(method)
  }

  private mutating func insert(_ method: Method) {
    var service = method.service
    var name = method.name
    var slot = service.withUTF8 { service in
      name.withUTF8 { Self.hash(UnsafeRawBufferPointer(service), UnsafeRawBufferPointer($0)) }
    }
    slot &= slots.count - 1
    while let other = slots[slot] {
      precondition(other.name != method.name || other.service != method.service, "\(method.name) is served twice")
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = method
  }

  /// Few methods, names that differ in length and ends: a hash of both lengths and four bytes spreads them.
  @inline(__always)
  private static func hash(_ service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Int {
    guard let first = name.first, let last = name.last, let tail = service.last else { return 0 }
    let middle = name[name.count / 2]
    var hash = UInt32(truncatingIfNeeded: service.count &* 31 &+ name.count)
    hash = hash &* 0x0100_0193 ^ UInt32(first)
    hash = hash &* 0x0100_0193 ^ UInt32(middle)
    hash = hash &* 0x0100_0193 ^ UInt32(last)
    hash = hash &* 0x0100_0193 ^ UInt32(tail)
    return Int(hash ^ hash >> 15)
  }

  @inline(__always)
  private static func equal(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
    text.utf8.count == bytes.count && text.utf8.elementsEqual(bytes)
  }

  private func unknown(_ service: String, _ name: String) -> RPCError {
    guard services.contains(service) else {
      return RPCError(.unimplemented, "unknown service \(service): this server has \(services.joined(separator: ", "))")
    }
    let names = slots.compactMap { $0 }.filter { $0.service == service }.map(\.name).sorted()
    return RPCError(.unimplemented, "\(service) has no method \(name): it has \(names.joined(separator: ", "))")
  }
}
