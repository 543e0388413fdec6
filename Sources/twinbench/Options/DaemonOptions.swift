// Which daemon is measured, and where it and the client run.

import ArgumentParser

struct DaemonOptions: ParsableArguments {
  @Option(help: "The daemon's socket (default: $TWIND_SOCKET, or else the daemon's default).") var socket: String?
  @Option(help: ArgumentHelp("Start this twind in a temporary directory, and stop it afterwards.", valueName: "path"))
  var spawn: String?
  @Option(
    help: ArgumentHelp("Cores: client=1,server=0 (the server's only with --spawn).", valueName: "cores"),
    transform: OptionText.pins)
  var pin = Pins()

  func validate() throws {
    if spawn != nil && socket != nil { throw ValidationError("use --spawn or --socket, not both") }
    if pin.server != nil && spawn == nil { throw ValidationError("--pin server=… needs --spawn") }
  }
}
