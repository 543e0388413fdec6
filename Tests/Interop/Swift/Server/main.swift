// ttrpc-echo-server SOCKET: answers echo.proto with our server. Prints "listening on SOCKET" once calls are accepted and
// stops on SIGTERM or SIGINT with status 0. The interop stage runs everyone's clients against it.

import CLinux
import EchoService
import Glibc
import TTRPC

func stop(_ reason: String, status: Int32) -> Never {
  let line = Array((reason + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
  exit(status)
}

guard CommandLine.arguments.count == 2 else {
  stop("usage: ttrpc-echo-server SOCKET", status: 2)
}
let path = CommandLine.arguments[1]

// Blocked before any thread starts, so that they come to sigwait below.
var signals = sigset_t()
sigemptyset(&signals)
sigaddset(&signals, SIGTERM)
sigaddset(&signals, SIGINT)
pthread_sigmask(SIG_BLOCK, &signals, nil)

var router = Router()
router.serveEcho()
HealthService().register(in: &router)
let server: Server
do {
  server = try Server(router: router)
  try server.start(try UnixListener(path: path))
} catch {
  stop("ttrpc-echo-server: \(error)", status: 1)
}
print("listening on \(path)")
fflush(nil)

var signal: Int32 = 0
sigwait(&signals, &signal)
server.shutdown()
