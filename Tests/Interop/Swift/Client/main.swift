// ttrpc-echo-client SOCKET [unary|all] [known-faults]: checks a server of echo.proto with our client.
//
// Prints one line for each check and ends with status 0 when all hold. `unary` leaves the streaming methods out, for
// servers of ttrpc 1.1; `known-faults` leaves out what the Rust crate 0.5.2 is known to answer otherwise.

import EchoService
import Glibc
import InteropRoutes
import TTRPC

guard CommandLine.arguments.count >= 2 else {
  print("usage: ttrpc-echo-client SOCKET [unary|all] [known-faults]")
  exit(2)
}
let options = Set(CommandLine.arguments.dropFirst(2))
var clientOptions = Client.Options()
clientOptions.metadata = [("agent", "billing"), ("trace", "1"), ("trace", "2")]
let checks = EchoChecks(Client(path: CommandLine.arguments[1], options: clientOptions))
var failed = 0
let selected = checks.all.filter { check in
  !(options.contains("unary") && check.isStreaming) && !(options.contains("known-faults") && check.isKnownFault)
}
for check in selected {
  do {
    try check.run()
    print("ok    \(check.name)")
  } catch {
    failed += 1
    print("FAIL  \(check.name): \(error)")
  }
}
print(failed == 0 ? "swift client: \(selected.count) checks ok" : "swift client: \(failed) checks failed")
exit(failed == 0 ? 0 : 1)
