// twinbench connections

import ArgumentParser
import CBench
import TwinClient
import TwinText

struct Connections: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What many connections cost: latency of one fixed load, and memory.",
    discussion: """
      The same number of calls a second is spread over 1, 64, 1,000 and 10,000
      connections, each used in turn, by one thread. With --spawn each count
      gets a daemon of its own.

      EXAMPLES
        twinbench connections --spawn .build/release/twind
        twinbench connections --spawn .build/release/twind --counts 1,100
      """)

  @Option(
    help: ArgumentHelp("How many connections, one run for each.", valueName: "numbers"), transform: Self.numbers)
  var counts = [1, 64, 1_000, 10_000]
  @Option(help: ArgumentHelp("Calls per second over all connections.", valueName: "count")) var rate = 5_000.0
  @Option(help: "How long to measure each.", transform: OptionText.duration) var duration = Duration.seconds(4)
  @Option(help: "How long to run before that.", transform: OptionText.duration) var warmup = Duration.seconds(1)
  @OptionGroup(title: "Twins") var twins: TwinOptions
  @OptionGroup(title: "Daemon") var daemon: DaemonOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  /// Calls in flight over all connections.
  private static let window = 64

  func validate() throws {
    guard rate > 0, rate <= 1_000_000 else { throw ValidationError("--rate is \(rate): use 1 to 1000000") }
  }

  func run() throws {
    let openFiles = bench_raise_open_files()
    var rows = RunReport.Rows(
      title: "Connections",
      header: ["CONNECTIONS"] + Latencies.percentiles.map { $0.name.uppercased() } + ["MAX", "CALLS/S", "MEMORY EACH"])
    var series: [RunReport.Series] = []
    var version = ""
    for count in counts {
      guard UInt64(count) + 100 < openFiles else {
        throw BenchFailure("\(count) connections need more than \(openFiles) open files: raise ulimit -n")
      }
      let options = ["--connections-max", "\(max(1_024, count + 16))"]
      let (measurement, bytes) = try MeasuredDaemon.with(daemon, twins, daemonOptions: options) { daemon in
        version = daemon.version
        return try measure(daemon, count)
      }
      series.append(.init(name: FixedText.count(count, "connection"), measurement: measurement))
      rows.rows.append(Self.row(count, measurement, bytes))
    }
    try output.write(
      RunReport(
        title: "Many connections", story: story, context: RunReport.context(twind: version),
        settings: [("rate", "\(Int(rate))/s"), ("duration", "\(duration / .seconds(1)) s")] + twins.settings
          + daemon.pin.settings, series: series, tables: [rows]))
  }

  private var story: [String] {
    [
      """
      \(Int(rate)) reads a second were spread over more and more connections, each used in turn. A daemon that keeps \
      what it needs for each connection small answers as fast with many as with one. “Memory each” is how much the \
      daemon's resident memory grew for each connection that had made a call; 0 B means that it had room already.
      """
    ]
  }

  private func measure(_ daemon: MeasuredDaemon, _ count: Int) throws -> (Measurement, UInt64?) {
    let before = ProcessFigures(pid: daemon.pid)?.residentBytes
    let lanes = try (0..<count).map { _ in try daemon.wireLane(.only(.read), window: Self.window) }
    for lane in lanes { try lane.call(Call(operation: .read, key: 0)) }
    let after = ProcessFigures(pid: daemon.pid)?.residentBytes
    let load = Load(
      keys: twins.zipf, keyCount: twins.twins, inFlight: Self.window, rate: rate, warmup: warmup, duration: duration,
      core: self.daemon.pin.client)
    let measurement = try load.run([try CrowdLane(lanes)])
    guard let before, let after else { return (measurement, nil) }
    return (measurement, after > before ? (after - before) / UInt64(count) : 0)
  }

  private static func row(_ count: Int, _ measurement: Measurement, _ bytes: UInt64?) -> [String] {
    let latencies = measurement.latencies
    return [FixedText.grouped(UInt64(count))]
      + Latencies.percentiles.map { TimeText.format(nanos: latencies.nanos(at: $0.percentile)) } + [
        TimeText.format(nanos: latencies.max), FixedText.grouped(UInt64(measurement.callsPerSecond)),
        bytes.map { FixedText.bytes($0) } ?? "unknown",
      ]
  }

  @Sendable
  private static func numbers(_ text: String) throws -> [Int] {
    try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let number = Int(part), (1...16_000).contains(number) else {
        throw ValidationError("\(String(part).excerpt()) is not a number of connections: write 1,64,1000")
      }
      return number
    }
  }
}
