// twinctl call

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinRoutes
import TwinText

struct Call: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Call any method of the daemon, with JSON messages.",
    discussion: """
      Use it for what no other command does, or to see what is sent. Fields have
      the names of the .proto files (`twinctl proto` writes them). 64-bit integers
      are numbers or numbers in quotes, bytes are base64, enums are names, and
      missing fields have their defaults. Each reply is one line. A stream is
      printed until it ends, or until Ctrl-C.

      EXAMPLES
        twinctl call --list
        twinctl call GetTwin --json '{"name": "acme/customer/42"}'
        twinctl call AdminService.GetStats | jq .twin_count
        twinctl call WatchTwins --json '{"prefix": "acme/"}'
        twinctl call BatchUpdateTwins --json - < batch.json
      """)

  @Argument(help: "The method: GetTwin, TwinService.GetTwin or twind.v1.TwinService.GetTwin.") var method: String?
  @Option(help: ArgumentHelp("The request; - reads it from standard input (default: {}).", valueName: "object"))
  var json = "{}"
  @Flag(help: "List the methods.") var list = false
  @Option(help: "The daemon's socket (default: $TWIND_SOCKET, or else the daemon's default).") var socket: String?
  @Option(help: "The agent name to record with writes (default: the user name).") var agent: String?
  @Option(
    help: ArgumentHelp("How long the call may take (default: 10s; streams: no limit).", valueName: "duration"),
    transform: durationArgument)
  var timeout: Duration?

  private static let routes =
    TwinServiceRoutes.all + SessionServiceRoutes.all + AdminServiceRoutes.all + HealthRoutes.all

  func validate() throws {
    if list == (method != nil) {
      throw ValidationError(list ? "use --list without a method" : "give a method, or use --list")
    }
  }

  func run() throws {
    guard let method else { return try Terminal.write(Self.table) }
    let route = try Self.route(method)
    let text = json == "-" ? try Self.standardInput() : json
    let request = try MessageEncoding.encoded(text, as: MessageType(route.request))
    let client = TwindClient(path: socket ?? TwindClient.defaultSocket, agent: agent)
    let reply = MessageType(route.response)
    let limit = timeout ?? (route.shape == .unary ? .seconds(10) : nil)
    try client.rpc.call(route, encoded: request, timeout: limit) { bytes in
      guard let text = MessageText.json(bytes, reply) else {
        throw Failure("the daemon's reply is not a \(reply.name)")
      }
      try Terminal.print(text)
    }
  }

  /// The method with this name, with or without the service's name.
  private static func route(_ name: String) throws(Failure) -> AnyRoute {
    let found = routes.filter { route in
      let full = "\(route.service).\(route.method)"
      return full == name || full.hasSuffix(".\(name)") || "\(route.service)/\(route.method)" == name
    }
    if let route = found.first, found.count == 1 { return route }
    if found.count > 1 {
      let services = found.map { "\($0.service).\($0.method)" }.joined(separator: " or ")
      throw Failure("\(name) is ambiguous: use \(services)")
    }
    let nearest = NearestName.of(name, in: routes.map(\.method)).map { "did you mean \($0)?" }
    throw Failure("there is no method \(name): \(nearest ?? "see twinctl call --list")")
  }

  private static var table: String {
    var table = Table([.init("METHOD"), .init("REQUEST"), .init("REPLIES")])
    for route in routes {
      let service = route.service.split(separator: ".").last ?? ""
      let request = route.request.name.split(separator: ".").last ?? ""
      table.add(["\(service).\(route.method)", String(request), route.shape == .unary ? "one" : "stream"])
    }
    return table.text(header: Terminal.dim)
  }

  private static func standardInput() throws(Failure) -> String {
    var text = ""
    while let line = readLine(strippingNewline: false) { text += line }
    guard !text.isEmpty else { throw Failure("standard input is empty: write {} for an empty request") }
    return text
  }
}
