// A ttrpc client for any server. It connects when needed and reconnects when the connection breaks.

import Threads
import CLinux
import CTTRPCProto
import Glibc
import Synchronization

/// Calls a server's methods. Thread-safe; all threads share one connection.
///
/// If the connection breaks, its calls throw UNAVAILABLE, and their outcome is unknown. The next call reconnects.
///
/// A connection belongs to the process that opened it. In a forked child the first call opens a new one and leaves the
/// parent's alone. Calls and streams that the parent started throw FAILED_PRECONDITION in the child, and closing the
/// client or a stream there does not affect the parent. Do not fork while another thread is connecting, and do not use
/// `async` methods in the child, which does not have Swift's threads.
public final class Client: @unchecked Sendable {
  public struct Options: Sendable {
    /// The timeout for connecting.
    public var connectTimeout: Duration = .seconds(5)
    /// The timeout of calls that do not set one; nil: none.
    public var timeout: Duration?
    /// How long a thread polls for a reply before it sleeps. Polling keeps a core busy: use it for threads that have a
    /// core of their own, and for calls that are answered within this time. By default a thread sleeps at once.
    public var busyPoll: Duration = .zero
    /// Sent with every call.
    public var metadata: [(key: String, value: String)] = []

    public init() {}
  }

  public let options: Options
  private let connect: @Sendable (_ deadlineNanos: UInt64) throws(RPCError) -> any Transport
  private let lock = Lock()
  private var channel: ClientChannel?
  private var reader: ClientChannel?

  /// A client for a Unix socket. It connects at the first call.
  public convenience init(path: String, options: Options = Options()) {
    self.init(options: options) { (deadline) throws(RPCError) in
      try SocketTransport(path: path, deadlineNanos: deadline)
    }
  }

  init(options: Options, connect: @escaping @Sendable (UInt64) throws(RPCError) -> any Transport) {
    self.options = options
    self.connect = connect
  }

  deinit { close() }

  /// Ends the connection; calls in flight fail with CANCELLED.
  public func close() {
    lock.withLock { channel }?.close(RPCError(.cancelled, "the client was closed"))
  }

  /// Calls a unary method and waits for its reply.
  public func call<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>, timeout: Duration? = nil
  ) throws(RPCError) -> Received<Response> {
    try start(route, request, timeout: timeout).wait()
  }

  /// Starts a unary call without sending it. `flush` sends all calls that were started with one write.
  public func start<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>, timeout: Duration? = nil
  ) throws(RPCError) -> PendingCall<Response> {
    precondition(route.shape == .unary, "\(route.method) is not unary")
    let (envelope, deadline) = try envelope(route.service, route.method, request.encoded(), timeout)
    let channel = try connected(by: deadline)
    return PendingCall(self, channel, try channel.begin(.unary, envelope), deadline)
  }

  /// Sends the calls that were started. If the server does not accept them in time (by default the timeout in
  /// `options`), a background thread continues.
  public func flush(timeout: Duration? = nil) {
    lock.withLock { channel }?.flush(until: (timeout ?? options.timeout).map(Self.deadline) ?? .max)
  }

  /// Starts a streaming call. Pass the request of a server-streaming method here; for other methods pass nil and send
  /// messages on the stream.
  public func stream<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>? = nil, timeout: Duration? = nil
  ) throws(RPCError) -> ClientStream<Request, Response> {
    let stream = try begin(route, request, timeout)
    stream.channel.flush(until: stream.deadlineNanos)
    return stream
  }

  /// Starts a streaming call without sending it.
  func begin<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafePointer<Request>?, _ timeout: Duration?
  ) throws(RPCError) -> ClientStream<Request, Response> {
    precondition(route.shape != .unary, "\(route.method) is unary")
    precondition((route.shape == .serverStream) == (request != nil), "only server-streaming calls begin with a request")
    let (envelope, deadline) = try envelope(route.service, route.method, request?.encoded() ?? [], timeout)
    let channel = try connected(by: deadline)
    return ClientStream(self, channel, try channel.begin(route.shape, envelope), deadline)
  }

  /// A usable connection. Connects if there is none.
  func connected(by deadlineNanos: UInt64) throws(RPCError) -> ClientChannel {
    try lock.withLock { () throws(RPCError) in
      if let channel, channel.isUsable { return channel }
      let transport = try connect(min(Self.deadline(options.connectTimeout), deadlineNanos))
      let fresh = ClientChannel(transport, busyPollNanos: UInt64(max(options.busyPoll.nanos, 0)))
      channel = fresh
      return fresh
    }
  }

  /// Starts a reader thread for the connection, for callers that must not block.
  func ensureReader(_ channel: ClientChannel) {
    let isNew = lock.withLock {
      if reader === channel { return false }
      reader = channel
      return true
    }
    guard isNew else { return }
    Thread.detached(name: "ttrpc-client") { channel.readUntilClosed() }
  }

  func envelope(
    _ service: String, _ method: String, _ payload: [UInt8], _ timeout: Duration?
  ) throws(RPCError) -> ([UInt8], UInt64) {
    let arena = Arena(chunkBytes: 1024)
    let envelope = arena.make(Ttrpc__Request.self)
    envelope.pointee.service = arena.string(service)
    envelope.pointee.method = arena.string(method)
    let timeout = timeout ?? options.timeout
    if let timeout { envelope.pointee.timeout_nano = timeout.nanos == 0 ? -1 : timeout.nanos }
    let pairs = options.metadata.map { pair in
      let metadata = arena.make(Ttrpc__KeyValue.self)
      metadata.pointee.key = arena.string(pair.key)
      metadata.pointee.value = arena.string(pair.value)
      return metadata
    }
    envelope.pointee.n_metadata = pairs.count
    envelope.pointee.metadata = arena.array(pairs)
    let encoded = payload.withUnsafeBytes { bytes in
      envelope.pointee.payload = ProtobufCBinaryData(
        len: bytes.count,
        data: UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)))
      return envelope.encoded()
    }
    return (encoded, timeout.map(Self.deadline) ?? .max)
  }

  private static func deadline(_ timeout: Duration) -> UInt64 {
    twind_monotonic_nanos().addingReportingOverflow(UInt64(max(timeout.nanos, 0))).partialValue
  }
}

extension Duration {
  /// Whole nanoseconds, saturating; negative durations stay negative.
  var nanos: Int64 {
    let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return components.seconds < 0 ? .min : .max }
    let (sum, carry) = seconds.addingReportingOverflow(components.attoseconds / 1_000_000_000)
    return carry ? .max : sum
  }
}
