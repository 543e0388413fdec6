// How much is asked of the daemon, in which rhythm, for how long.

import ArgumentParser
import TwinText

struct LoadOptions: ParsableArguments {
  @Option(help: "How long to measure.", transform: OptionText.duration) var duration: Duration?
  @Option(help: ArgumentHelp("Measure this many calls instead.", valueName: "count")) var requests: Int?
  @Option(help: "How long to run before that.", transform: OptionText.duration) var warmup = Duration.seconds(1)
  @Option(help: ArgumentHelp("Connections, with one thread each.", valueName: "count")) var connections = 1
  @Option(help: ArgumentHelp("Calls in flight on each connection.", valueName: "count")) var inFlight = 1
  @Option(
    help: ArgumentHelp(
      "Open loop: calls per second over all connections, on a schedule that does not wait for replies.",
      valueName: "count"))
  var rate: Double?
  @Option(help: ArgumentHelp("Gaps of the open loop: fixed or poisson.", valueName: "law"))
  var arrivals = Arrivals.fixed
  @Option(
    help: ArgumentHelp(
      "full: the Swift client, whole twins as Swift values; none: frames matched and not decoded.", valueName: "how"))
  var decode = Decoding.full
  @Option(
    help: "How long the client, and with --spawn the daemon, polls before it sleeps (default: not at all).",
    transform: OptionText.duration)
  var busyPoll: Duration?
  @Option(help: ArgumentHelp("Seed for the random choice of twins.", valueName: "number")) var seed: UInt64 = 1

  func validate() throws {
    try OptionText.check([("--connections", connections, 1...256), ("--in-flight", inFlight, 1...128)])
    if let requests { try OptionText.check([("--requests", requests, 1...1_000_000_000)]) }
    if requests != nil && duration != nil { throw ValidationError("use --duration or --requests, not both") }
    if let rate, !(rate > 0 && rate <= 100_000_000) {
      throw ValidationError("--rate is \(rate): it must be above 0")
    }
  }

  /// Two minutes bound a run by count.
  var length: Duration { duration ?? (requests == nil ? .seconds(5) : .seconds(120)) }

  var settings: [(String, String)] {
    [
      ("connections", "\(connections)"), ("in flight", "\(inFlight)"),
      ("loop", rate.map { "open, \(Int($0))/s, \(arrivals.rawValue) gaps" } ?? "closed"), ("decode", decode.rawValue),
      ("busy-poll", busyPoll.map { DurationText.format($0) } ?? "none"),
      ("warmup", "\(warmup / .seconds(1)) s"),
      requests.map { ("requests", "\($0)") } ?? ("duration", "\(length / .seconds(1)) s"),
    ]
  }
}

/// What the measuring client does with a reply.
enum Decoding: String, ExpressibleByArgument, CaseIterable { case full, none }

extension Arrivals: ExpressibleByArgument {}
