// What both benchmarks take.

import ArgumentParser
import TwinClient
import TwinText

struct BenchArguments: ParsableArguments {
  @Option(help: "The daemon's socket (default: $TWIND_SOCKET, else as the daemon chooses it).") var socket: String?
  @Option(help: ArgumentHelp("Start this twind in a directory of its own, and stop it.", valueName: "path"))
  var spawn: String?
  @Option(help: "How long to measure.", transform: duration) var duration = Duration.seconds(5)
  @Option(help: "How long to run before that.", transform: duration) var warmup = Duration.seconds(1)
  @Option(help: ArgumentHelp("Connections, each with a thread.", valueName: "count")) var connections = 1
  @Option(help: ArgumentHelp("Calls in one write of a connection.", valueName: "count")) var inFlight = 1
  @Option(help: ArgumentHelp("Twins.", valueName: "count")) var twins = 10_000
  @Option(help: ArgumentHelp("Attributes of a twin.", valueName: "count")) var attributes = 8
  @Option(help: ArgumentHelp("Bytes of a value.", valueName: "count")) var valueBytes = 24
  @Option(help: "The space that the twins are written to.") var space = "twinbench"
  @Option(
    help: ArgumentHelp("Cores: client=1,server=0 (the server's only with --spawn).", valueName: "cores"),
    transform: pins)
  var pin = Pins()
  @Flag(help: "Print one JSON object.") var json = false

  struct Pins {
    var client: Int?
    var server: Int?
  }

  func validate() throws {
    let bounds: [(String, Int, ClosedRange<Int>)] = [
      ("--connections", connections, 1...256), ("--in-flight", inFlight, 1...128), ("--twins", twins, 1...10_000_000),
      ("--attributes", attributes, 1...512), ("--value-bytes", valueBytes, 16...65_000),
    ]
    for (name, value, range) in bounds where !range.contains(value) {
      throw ValidationError("\(name) is \(value): use \(range.lowerBound) to \(range.upperBound)")
    }
    if attributes * (valueBytes + 100) > 900_000 {
      throw ValidationError("\(attributes) attributes of \(valueBytes) bytes do not fit into a batch: use fewer")
    }
    if spawn != nil && socket != nil { throw ValidationError("use --spawn or --socket, not both") }
    if pin.server != nil && spawn == nil { throw ValidationError("--pin server=… needs --spawn") }
  }

  @Sendable
  private static func duration(_ text: String) throws -> Duration {
    guard let duration = DurationText.parse(text) else {
      throw ValidationError("\(text.excerpt()) is not a duration: write 250ms, 1s or 5m")
    }
    return duration
  }

  @Sendable
  private static func pins(_ text: String) throws -> Pins {
    var pins = Pins()
    for part in text.split(separator: ",") {
      let pair = part.split(separator: "=")
      guard pair.count == 2, let core = Int(pair[1]), core >= 0 else {
        throw ValidationError("\(text.excerpt()) names no cores: write client=1,server=0")
      }
      switch pair[0] {
      case "client": pins.client = core
      case "server": pins.server = core
      default: throw ValidationError("\(String(pair[0]).excerpt()) is neither client nor server")
      }
    }
    return pins
  }
}
