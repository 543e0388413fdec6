// One benchmark from start to report.

import ArgumentParser
import CLinux
import Histogram
import TTRPC
import Threads
import TwinClient

struct Bench {
  private let arguments: BenchArguments
  private let name: String
  private let facts: [(String, String)]

  /// - Parameters:
  ///   - name: the method that is called.
  ///   - facts: settings beside the common ones.
  init(_ arguments: BenchArguments, name: String, facts: [(String, String)]) {
    self.arguments = arguments
    self.name = name
    self.facts = facts
  }

  /// - Parameter calls: makes the loop of one connection.
  func run<Source: Requests, Response: ProtobufMessage>(
    _ calls: (Client, [String]) -> Calls<Source, Response>
  ) throws {
    if let core = arguments.pin.client { try Cores.pinThisProcess(to: core) }
    let daemon = try arguments.spawn.map { try SpawnedDaemon($0, core: arguments.pin.server) }
    defer { daemon?.stop() }
    let socket = daemon?.socket ?? arguments.socket ?? TwindClient.defaultSocket
    let admin = TwindClient(path: socket, timeout: .seconds(30))
    let population = Population(arguments)
    try population.write(admin)
    let loops = (0..<arguments.connections).map { _ in
      let loop = calls(Self.client(socket), population.names)
      loop.inFlight = arguments.inFlight
      return loop
    }
    let seconds = try Self.run(loops, warmup: arguments.warmup, duration: arguments.duration)
    if daemon == nil { try population.delete(admin) }
    var latencies = Histogram<UInt64>(highestTrackableValue: Self.nanosMax)
    for loop in loops { latencies.add(loop.latencies) }
    let version = (try? admin.serverInfo())?.version ?? "unknown"
    let report = Report(name: name, settings: settings, twindVersion: version, latencies: latencies, seconds: seconds)
    print(arguments.json ? report.json + "\n" : report.text, terminator: "")
  }

  /// The longest latency that is told apart.
  static let nanosMax: UInt64 = 60_000_000_000

  private static func client(_ socket: String) -> Client {
    var options = Client.Options()
    options.timeout = .seconds(30)
    return Client(path: socket, options: options)
  }

  /// Runs all loops at once. Returns how long was measured, in seconds.
  private static func run<L: Loop>(_ loops: [L], warmup: Duration, duration: Duration) throws -> Double {
    let start = twind_monotonic_nanos() + UInt64(warmup / .nanoseconds(1))
    let end = start + UInt64(duration / .nanoseconds(1))
    let outcomes = loops.map { LoopThread($0, from: start, to: end) }
    for outcome in outcomes { try outcome.join() }
    return duration / .seconds(1)
  }

  private var settings: [(String, String)] {
    [
      ("connections", "\(arguments.connections)"), ("in flight", "\(arguments.inFlight)"),
      ("twins", "\(arguments.twins)"), ("attributes", "\(arguments.attributes)"),
      ("value bytes", "\(arguments.valueBytes)"), ("warmup", "\(arguments.warmup / .seconds(1)) s"),
      ("duration", "\(arguments.duration / .seconds(1)) s"),
      ("client core", arguments.pin.client.map { "\($0)" } ?? "any"),
      ("server core", arguments.pin.server.map { "\($0)" } ?? "any"),
    ] + facts
  }
}

/// A loop on a thread of its own, which alone touches it until it is joined.
private final class LoopThread: @unchecked Sendable {
  private let loop: any Loop
  private var error: RPCError?
  private var thread: Thread?

  init(_ loop: any Loop, from start: UInt64, to end: UInt64) {
    self.loop = loop
    thread = Thread(name: "twinbench") { [self] in
      do throws(RPCError) {
        try self.loop.run(from: start, to: end)
      } catch {
        self.error = error
      }
    }
  }

  func join() throws(RPCError) {
    thread?.join()
    if let error { throw error }
  }
}
