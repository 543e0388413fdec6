// A socket without a client library: requests are encoded once, replies matched and not decoded.
//
// The same code measures twind, Redis, the C echo and every other peer that speaks over a socket, so that a comparison
// is one of servers.

import CBench
import Glibc

final class WireLane: Lane {
  enum Framing {
    case ttrpc, resp

    fileprivate var c: bench_framing { self == .ttrpc ? BENCH_TTRPC : BENCH_RESP }
  }

  private let wire: OpaquePointer
  private let templates: [Operation: RequestTemplate]
  private let only: RequestTemplate?
  private let keyCount: Int

  /// - Parameters:
  ///   - window: how many calls may be in flight.
  ///   - keyCount: how many twins there are.
  ///   - isPolling: spin for replies instead of sleeping.
  init(
    _ path: String, _ framing: Framing, window: Int, _ templates: [Operation: RequestTemplate], keyCount: Int,
    isPolling: Bool = false
  ) throws {
    guard let wire = bench_wire_open(path, framing.c, UInt32(window), isPolling ? 1 : 0) else {
      throw BenchFailure("cannot connect to \(path): \(String(cString: strerror(errno))): is the daemon running?")
    }
    self.wire = wire
    self.templates = templates
    self.keyCount = keyCount
    only = templates.count == 1 ? templates.values.first : nil
  }

  deinit { bench_wire_close(wire) }

  var fd: Int32 { bench_wire_fd(wire) }

  func begin(_ call: Call, tag: UInt32) throws { try begin(call, tag: tag, stamp: nil) }

  /// - Parameter stamp: a number that replaces the placeholder of a new value in the request.
  func begin(_ call: Call, tag: UInt32, stamp: UInt64?) throws {
    guard let template = only ?? templates[call.operation] else {
      throw BenchFailure("this peer cannot \(call.operation.rawValue)")
    }
    template.fill(key: call.key, of: keyCount, stamp: stamp)
    try check(
      bench_wire_begin(wire, template.bytes.baseAddress, template.bytes.count, tag, template.isStream ? 1 : 0))
  }

  func flush() throws { try check(bench_wire_flush(wire)) }

  func receive(until deadline: UInt64, into ended: UnsafeMutableBufferPointer<UInt32>) throws -> Int {
    let count = bench_wire_receive(wire, deadline, ended.baseAddress, Int32(ended.count))
    try check(count)
    return Int(count)
  }

  /// Waits for one message of a subscription; nil at the deadline. Valid until the next call.
  func message(until deadline: UInt64) throws -> UnsafeRawBufferPointer? {
    var bytes: UnsafePointer<UInt8>?
    let count = bench_wire_message(wire, deadline, &bytes)
    if count < 0 { throw problem }
    return count == 0 ? nil : UnsafeRawBufferPointer(start: bytes, count: Int(count))
  }

  /// Makes one call and waits for its reply.
  func call(_ call: Call, stamp: UInt64? = nil) throws {
    try begin(call, tag: 0, stamp: stamp)
    try flush()
    _ = try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1) { try receive(until: .max, into: $0) }
  }

  private func check(_ result: Int32) throws {
    if result < 0 { throw problem }
  }

  private var problem: BenchFailure { BenchFailure(String(cString: bench_wire_problem(wire))) }
}
