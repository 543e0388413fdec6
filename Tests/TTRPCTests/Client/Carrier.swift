// The two things that carry a client's calls.

import EchoService
import TTRPC

/// A client and the server that it talks to, in process or over a socket.
enum Carrier: CaseIterable {
  case inProcess
  case socket

  func connect(limits: Limits = Limits(), options: Client.Options = Client.Options()) throws -> Connected {
    switch self {
    case .inProcess:
      var router = Router()
      router.serveEcho()
      return Connected(client: .inProcess(router, limits: limits, options: options), server: nil)
    case .socket:
      let server = try TestServer.echo(limits: limits)
      return Connected(client: Client(path: server.path, options: options), server: server)
    }
  }
}

/// The server lives as long as this object.
final class Connected {
  let client: Client
  private let server: TestServer?

  init(client: Client, server: TestServer?) {
    self.client = client
    self.server = server
  }
}
