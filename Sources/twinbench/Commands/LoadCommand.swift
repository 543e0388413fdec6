// What read, write and mix have in common: one load on one daemon.

import ArgumentParser
import TwinClient

struct LoadCommand: ParsableArguments {
  @OptionGroup(title: "Load") var load: LoadOptions
  @OptionGroup(title: "Twins") var twins: TwinOptions
  @OptionGroup(title: "Daemon") var daemon: DaemonOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Output") var log: LogOptions

  /// - Parameters:
  ///   - name: of what is called.
  ///   - story: what the calls do, in a sentence.
  ///   - facts: settings beside the common ones.
  func run(
    _ mix: Mix, name: String, story: String, _ durability: Durability = .unspecified, facts: [(String, String)] = []
  ) throws {
    if mix.operations.contains(.batch) && twins.twins < Operation.batchTwins {
      throw ValidationError("a batch reads \(Operation.batchTwins) twins: use --twins \(Operation.batchTwins) or more")
    }
    try MeasuredDaemon.with(daemon, twins, busyPoll: load.busyPoll) { daemon in
      let measurement = try measure(daemon, mix, durability)
      let title = "\(name.prefix(1).uppercased() + name.dropFirst()), \(load.rate == nil ? "closed" : "open") loop"
      let report = RunReport(
        title: title, story: [story, load.rhythm, load.decode.story], context: RunReport.context(twind: daemon.version),
        settings: load.settings + twins.settings + self.daemon.pin.settings + facts,
        series: [.init(name: name, measurement: measurement)])
      try log.write(measurement, title: title)
      try output.write(report)
    }
  }

  private func measure(_ daemon: MeasuredDaemon, _ mix: Mix, _ durability: Durability) throws -> Measurement {
    let plan = load.plan(mix, twins, core: self.daemon.pin.client, keepsLog: log.hdrLog != nil, probe: daemon.probe)
    switch load.decode {
    case .full: return try plan.run((0..<load.connections).map { _ in daemon.clientLane(durability) })
    case .none:
      return try plan.run(
        (0..<load.connections).map { _ in try daemon.wireLane(mix, window: load.inFlight, durability) })
    }
  }
}

extension LoadOptions {
  func plan(
    _ mix: Mix, _ twins: TwinOptions, core: Int?, keepsLog: Bool = false,
    probe: (@Sendable () -> ProcessFigures?)? = nil
  ) -> Load {
    Load(
      mix: mix, keys: twins.zipf, keyCount: twins.twins, inFlight: inFlight, rate: rate, arrivals: arrivals,
      warmup: warmup, duration: length, calls: requests, core: core, seed: seed, keepsLog: keepsLog, probe: probe)
  }

  var rhythm: String {
    if let rate {
      return """
        Open loop: \(Int(rate)) calls a second were due on a schedule (\(arrivals.rawValue) gaps) that does not wait for \
        replies. A call's latency counts from when it was due, so that a stall shows in every call that it delayed.
        """
    }
    return """
      Closed loop: \(connections == 1 ? "one connection" : "each of \(connections) connections") sent \
      \(inFlight == 1 ? "one call, waited for its reply" : "\(inFlight) calls at once, waited for all replies"), and began \
      again. Latency counts from before the sending to the call's own reply.
      """
  }
}

extension Decoding {
  var story: String {
    switch self {
    case .full:
      "The measuring client is the Swift client: every reply became a whole Swift value within the time measured."
    case .none: "The measuring client matched replies to calls and did not decode them, as for a GET of raw bytes."
    }
  }
}
