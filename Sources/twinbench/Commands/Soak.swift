// twinbench soak

import ArgumentParser
import TwinText

struct Soak: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Minutes of mixed load: latency, memory and open files over time.",
    discussion: """
      EXAMPLES
        twinbench soak --spawn .build/release/twind --duration 5m
        twinbench soak --spawn .build/release/twind --rate 5000 --report soak.html
      """)

  @Option(help: ArgumentHelp("Operations and their weights.", valueName: "weights"), transform: OptionText.mix)
  var mix = Mix([(.read, 80), (.update, 15), (.batch, 4), (.watch, 1)])
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Twins") var twins: TwinOptions
  @OptionGroup(title: "Daemon") var daemon: DaemonOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Output") var log: LogOptions

  private static let rowCount = 24

  func run() throws {
    var load = load
    if load.duration == nil && load.requests == nil { load.duration = .seconds(120) }
    try MeasuredDaemon.with(daemon, twins, busyPoll: load.busyPoll) { daemon in
      var plan = load.plan(
        mix, twins, core: self.daemon.pin.client, keepsLog: log.hdrLog != nil, probe: daemon.probe)
      plan.intervalCount = Self.rowCount
      let measurement =
        load.decode == .full
        ? try plan.run((0..<load.connections).map { _ in daemon.clientLane() })
        : try plan.run((0..<load.connections).map { _ in try daemon.wireLane(mix, window: load.inFlight) })
      let name = "mixed calls"
      try log.write(measurement, title: "soak, \(mix)")
      try output.write(
        RunReport(
          title: "Soak",
          story: ["Calls were mixed by weight (\(mix)) for a long time.", load.rhythm, load.decode.story],
          context: RunReport.context(twind: daemon.version),
          settings: load.settings + twins.settings + self.daemon.pin.settings + [("mix", "\(mix)")],
          series: [.init(name: name, measurement: measurement)], tables: [Self.table(measurement)],
          charts: [Self.memory(measurement).svg]))
    }
  }

  private static func table(_ measurement: Measurement) -> RunReport.Rows {
    var rows = RunReport.Rows(
      title: "Over time",
      header: ["SECONDS", "CALLS/S", "P50", "P99", "P99.9", "MAX", "RSS", "OPEN FILES", "CPU"])
    var cpu: Double?
    for one in measurement.intervals {
      let busy = one.process.flatMap { now in cpu.map { (now.cpuSeconds - $0) / one.seconds } }
      cpu = one.process?.cpuSeconds
      rows.rows.append([
        FixedText.format(one.start + one.seconds, places: 1),
        FixedText.grouped(UInt64(Double(one.latencies.count) / one.seconds)), TimeText.format(nanos: one.latencies.p50),
        TimeText.format(nanos: one.latencies.p99), TimeText.format(nanos: one.latencies.p999),
        TimeText.format(nanos: one.latencies.max), one.process.map { FixedText.bytes($0.residentBytes) } ?? "unknown",
        one.process.map { "\($0.openFiles)" } ?? "unknown",
        busy.map { "\(FixedText.format(100 * max($0, 0), places: 0)) %" } ?? "",
      ])
    }
    return rows
  }

  private static func memory(_ measurement: Measurement) -> Chart {
    let points = measurement.intervals.compactMap { one in
      one.process.map { (x: one.start + one.seconds, y: Double($0.residentBytes) / 1_048_576) }
    }
    let files = measurement.intervals.compactMap { one in
      one.process.map { (x: one.start + one.seconds, y: Double($0.openFiles)) }
    }
    return Chart.overTime(
      title: "Memory of the daemon, and its open files", yTitle: "MiB, and number of files",
      lines: [.init(name: "resident MiB", points: points), .init(name: "open files", points: files)],
      seconds: measurement.seconds, isLogarithmic: false
    ) { FixedText.format($0, places: $0 < 10 && $0 != $0.rounded() ? 1 : 0) }
  }
}
