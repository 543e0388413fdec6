// A client of twind for Swift programs.

import CTwindProto
import Glibc
import TTRPC
import TwinRoutes

/// Reads, writes and watches twins. Any thread may call; all share one connection.
///
///     let twind = TwindClient()
///     try twind.update("acme/customer/42", [.set("email", .string("ada@example.com"))])
///     let twin = try twind.get("acme/customer/42").twin
///
/// Errors are `RPCError`s with gRPC's codes. After UNAVAILABLE a write's outcome is unknown; an idempotency key
/// settles it.
public final class TwindClient: Sendable {
  /// The ttrpc client underneath, for services beside twind's.
  public let rpc: Client

  /// - Parameters:
  ///   - path: the daemon's socket; by default where the daemon puts it.
  ///   - agent: the name under which the daemon records writes; nil = the user's.
  ///   - timeout: of each call; nil = none.
  ///   - busyPoll: how long a thread that waits for a reply goes on looking before it sleeps, see `Client.Options`.
  public convenience init(
    path: String = TwindClient.defaultSocket, agent: String? = nil, timeout: Duration? = nil, busyPoll: Duration = .zero
  ) {
    var options = Client.Options()
    options.timeout = timeout
    options.busyPoll = busyPoll
    if let agent { options.metadata = [("twind-agent", agent)] }
    self.init(Client(path: path, options: options))
  }

  /// A client on a connection made elsewhere, for example in process.
  public init(_ rpc: Client) { self.rpc = rpc }

  /// `$TWIND_SOCKET`, else `$XDG_RUNTIME_DIR/twind.sock`, else `./twind.sock`: as the daemon chooses it.
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
  /// The pointers of a repeated string field.
  func strings(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    array(texts.map { string($0) })
  }
}
