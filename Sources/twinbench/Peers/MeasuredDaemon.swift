// The daemon that a command measures: found on its socket or started, and filled with twins.

import TwinClient
import TwinText

struct MeasuredDaemon {
  let socket: String
  let version: String
  /// 0 when the daemon does not say.
  let pid: Int32
  let population: Population
  /// How long its clients look for more before they sleep.
  let busyPoll: Duration?
  private let scratch: Scratch?

  /// Runs a body on a daemon with twins, and leaves nothing behind.
  static func with<Result>(
    _ options: DaemonOptions, _ twins: TwinOptions, daemonOptions: [String] = [], busyPoll: Duration? = nil,
    _ body: (MeasuredDaemon) throws -> Result
  ) throws -> Result {
    let scratch = try options.spawn.map { _ in try Scratch() }
    defer { scratch?.remove() }
    var socket = options.socket ?? TwindClient.defaultSocket
    if let scratch, let path = options.spawn {
      let polling = busyPoll.map { ["--busy-poll", DurationText.format($0)] } ?? []
      socket = try TwindPeer(path, in: scratch, core: options.pin.server, options: daemonOptions + polling).socket
    }
    let admin = TwindClient(path: socket, timeout: .seconds(30))
    let population = twins.population
    try population.write(admin)
    let info = try? admin.serverInfo()
    let result = try body(
      MeasuredDaemon(
        socket: socket, version: info?.version ?? "unknown", pid: info?.pid ?? 0, population: population,
        busyPoll: busyPoll, scratch: scratch))
    if scratch == nil { try population.delete(admin) }
    return result
  }

  /// Figures of its process, if they can be read.
  var probe: (@Sendable () -> ProcessFigures?)? {
    guard ProcessFigures(pid: pid) != nil else { return nil }
    let pid = pid
    return { ProcessFigures(pid: pid) }
  }

  func requests(_ durability: Durability = .unspecified) -> TwindRequests {
    TwindRequests(space: population.space, valueBytes: population.valueBytes, durability: durability)
  }

  func wireLane(_ mix: Mix, window: Int, _ durability: Durability = .unspecified) throws -> WireLane {
    try WireLane(
      socket, .ttrpc, window: window, requests(durability).templates(mix.operations), keyCount: population.count,
      isPolling: busyPoll != nil)
  }

  func clientLane(_ durability: Durability = .unspecified) -> ClientLane {
    ClientLane(
      socket, ClientRequests(requests(durability), keyCount: population.count), busyPoll: busyPoll ?? .zero)
  }
}
