// A client of twind for Swift programs.

import CTwindProto
import Glibc
import TTRPC
import TwinRoutes

/// Reads, writes and watches twins. Thread-safe; all threads share one connection.
///
///     let twind = TwindClient()
///     try twind.update("acme/customer/42", [.set("email", .string("ada@example.com"))])
///     let twin = try twind.get("acme/customer/42").twin
///
/// Errors are `RPCError`s with gRPC's codes. After UNAVAILABLE the outcome of a write is unknown; with an idempotency
/// key it can safely be repeated.
public final class TwindClient: Sendable {
  /// The underlying ttrpc client, for other services.
  public let rpc: Client

  /// - Parameters:
  ///   - path: the daemon's socket; by default the daemon's default.
  ///   - agent: the agent name that is recorded with writes; nil: the user name.
  ///   - timeout: for each call; nil: none.
  ///   - busyPoll: how long a thread polls for a reply before it sleeps, see `Client.Options`.
  public convenience init(
    path: String = TwindClient.defaultSocket, agent: String? = nil, timeout: Duration? = nil, busyPoll: Duration = .zero
  ) {
    var options = Client.Options()
    options.timeout = timeout
    options.busyPoll = busyPoll
    if let agent { options.metadata = [("twind-agent", agent)] }
    self.init(Client(path: path, options: options))
  }

  /// A client that uses an existing connection, for example in process.
  public init(_ rpc: Client) { self.rpc = rpc }

  /// `$TWIND_SOCKET`, or else `$XDG_RUNTIME_DIR/twind.sock`, or else `./twind.sock`, like the daemon.
  public static var defaultSocket: String {
    if let socket = environment("TWIND_SOCKET") { return socket }
    if let runtime = environment("XDG_RUNTIME_DIR") { return runtime + "/twind.sock" }
    return "./twind.sock"
  }

  private static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  /// Calls with a request that is built in an arena.
  func call<Request, Response>(
    _ route: Route<Request, Response>, _ build: (Arena, UnsafeMutablePointer<Request>) throws(RPCError) -> Void
  ) throws(RPCError) -> Received<Response> {
    let arena = Arena(chunkBytes: 1024)
    let request = arena.make(Request.self)
    try build(arena, request)
    defer { withExtendedLifetime(arena) {} }
    return try rpc.call(route, UnsafePointer(request))
  }
}

extension Arena {
  /// The pointers for a repeated string field.
  func strings(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    array(texts.map { string($0) })
  }
}
