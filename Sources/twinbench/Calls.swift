// The closed loop of one connection.

import CLinux
import Histogram
import TTRPC

/// One thread's calls, latencies in nanoseconds.
protocol Loop: AnyObject {
  var latencies: Histogram<UInt64> { get }
  /// Runs until the end on the monotonic clock and records what began behind `start`.
  func run(from start: UInt64, to end: UInt64) throws(RPCError)
}

final class Calls<Source: Requests, Response: ProtobufMessage>: Loop {
  private(set) var latencies = Histogram<UInt64>(highestTrackableValue: 60_000_000_000)
  var inFlight = 1
  private let client: Client
  private let route: Route<Source.Request, Response>
  private var requests: Source
  private var random = SystemRandomNumberGenerator()

  init(_ client: Client, _ route: Route<Source.Request, Response>, _ requests: Source) {
    self.client = client
    self.route = route
    self.requests = requests
  }

  func run(from start: UInt64, to end: UInt64) throws(RPCError) {
    var pending: [PendingCall<Response>] = []
    var now = twind_monotonic_nanos()
    while now < end {
      pending.removeAll(keepingCapacity: true)
      let begun = twind_monotonic_nanos()
      for _ in 0..<inFlight {
        let index = Int.random(in: 0..<requests.count, using: &random)
        pending.append(try client.start(route, requests.request(index)))
      }
      client.flush()
      for call in pending {
        _ = try call.wait()
        now = twind_monotonic_nanos()
        if begun >= start { _ = latencies.record(min(now - begun, 60_000_000_000)) }
      }
    }
  }
}
