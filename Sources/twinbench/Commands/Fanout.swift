// twinbench fanout

import ArgumentParser
import CBench
import TwinClient
import TwinText

struct Fanout: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "One writer, many watchers: how long a change takes to reach each.",
    discussion: """
      One twin is written at --rate, and all watchers watch it (WatchTwins).
      Redis does the same with PUBLISH and SUBSCRIBE and messages of the same
      size; the two take turns. One thread reads for all watchers.

      EXAMPLES
        twinbench fanout --spawn .build/release/twind --watchers 100
        twinbench fanout --spawn .build/release/twind --report fanout.html
      """)

  @Option(help: ArgumentHelp("Watchers, each with a connection.", valueName: "count")) var watchers = 32
  @Option(help: ArgumentHelp("Writes per second.", valueName: "count")) var rate = 500.0
  @Option(help: "How long to measure each.", transform: OptionText.duration) var duration = Duration.seconds(4)
  @Option(help: "How long to run before that.", transform: OptionText.duration) var warmup = Duration.milliseconds(500)
  @Option(help: ArgumentHelp("Turns for each of the two.", valueName: "count")) var rounds = 2
  @Option(help: ArgumentHelp("Bytes of the value.", valueName: "count")) var valueBytes = 24
  @OptionGroup(title: "Daemon") var daemon: DaemonOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    try OptionText.check([
      ("--watchers", watchers, 1...10_000), ("--rounds", rounds, 1...100), ("--value-bytes", valueBytes, 22...65_000),
    ])
    guard rate > 0, rate <= 1_000_000 else { throw ValidationError("--rate is \(rate): use 1 to 1000000") }
  }

  func run() throws {
    _ = bench_raise_open_files()
    let scratch = try Scratch()
    defer { scratch.remove() }
    var twins = try TwinOptions.parse([])
    (twins.twins, twins.attributes, twins.valueBytes) = (1, 1, valueBytes)
    let limit = ["--connections-max", "\(max(1_024, watchers + 16))"]
    try MeasuredDaemon.with(daemon, twins, daemonOptions: limit) { daemon in
      let twind = try audience(daemon)
      // Tells how large a message is.
      _ = try twind.run(rate: rate, warmup: .zero, duration: .milliseconds(50), core: self.daemon.pin.client)
      var contestants = [("twind WatchTwins", twind)]
      var missing: [Missing] = []
      do {
        contestants.append(("Redis SUBSCRIBE", try audience(scratch, messageBytes: twind.messageBytes)))
      } catch let one as Missing {
        missing.append(one)
      }
      try output.write(report(daemon, try takeTurns(contestants), missing, twind.messageBytes))
    }
  }

  /// A B, B A: what the machine does to one it does to the other.
  private func takeTurns(_ contestants: [(name: String, audience: Audience)]) throws -> [RunReport.Series] {
    var found = contestants.map { _ in Measurement() }
    for round in 0..<rounds {
      let order = Array(contestants.indices)
      for index in round % 2 == 0 ? order : order.reversed() {
        let turn = try contestants[index].audience.run(
          rate: rate, warmup: warmup, duration: duration / rounds, core: daemon.pin.client)
        found[index].append(turn)
      }
    }
    return zip(contestants, found).map { .init(name: $0.0.name, measurement: $0.1) }
  }

  private func audience(_ daemon: MeasuredDaemon) throws -> Audience {
    var requests = daemon.requests()
    requests.valuePrefix = "stamp:"
    func lane(_ operation: Operation) throws -> WireLane {
      let template = RequestTemplate(requests.frame(operation), isStream: operation == .watch)
      return try WireLane(daemon.socket, .ttrpc, window: 1, [operation: template], keyCount: 1)
    }
    return try Audience((0..<watchers).map { _ in try lane(.watch) }, writer: lane(.update))
  }

  private func audience(_ scratch: Scratch, messageBytes: Int) throws -> Audience {
    let peer = try RedisPeer(in: scratch, name: "redis-fanout", core: daemon.pin.server)
    let stamp = "stamp:" + RequestTemplate.valueMark
    // What a message has around its payload: *3 $7 message $5 twins $n.
    let payload = stamp + String(repeating: "v", count: max(0, messageBytes - 40 - stamp.utf8.count))
    return try Audience(
      (0..<watchers).map { _ in try peer.lane(["SUBSCRIBE", "twins"], keyCount: 1) },
      writer: peer.lane(["PUBLISH", "twins", payload], keyCount: 1))
  }

  private func report(
    _ daemon: MeasuredDaemon, _ series: [RunReport.Series], _ missing: [Missing], _ messageBytes: Int
  ) -> RunReport {
    let rest = [("watchers", "\(watchers)"), ("rate", "\(Int(rate))/s"), ("message bytes", "\(messageBytes)")]
    return RunReport(
      title: "One writer, \(watchers) watchers",
      story: [
        """
        One twin was written \(Int(rate)) times a second, and \(watchers) watchers were told of each write. Latency is \
        from when the write was due to when a watcher had read the message, so that it includes the write itself. One \
        thread read for all watchers.
        """
      ], context: RunReport.context(twind: daemon.version) + [("redis", RedisPeer.version)],
      settings: rest + [("duration", "\(duration / .seconds(1)) s"), ("rounds", "\(rounds)")]
        + self.daemon.pin.settings,
      series: series,
      tables: missing.isEmpty
        ? []
        : [.init(title: "Missing", header: ["PEER", "WHY"], words: [0, 1], rows: missing.map { [$0.peer, $0.why] })])
  }
}
