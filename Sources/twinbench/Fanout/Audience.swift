// One writer and many subscribers: how long a change takes to reach each of them.

import CBench
import CLinux

/// Subscribers that have their first message, and a writer, of one peer.
final class Audience: @unchecked Sendable {
  private let subscribers: CrowdLane
  private let writer: WireLane
  private let count: Int
  /// Of the last message, in bytes.
  private(set) var messageBytes = 0

  /// - Parameters:
  ///   - subscribers: each has one call or message of its own to begin with.
  ///   - writer: its request has the mark of a new value behind "stamp:".
  init(_ subscribers: [WireLane], writer: WireLane) throws {
    for lane in subscribers {
      try lane.begin(Call(operation: .watch, key: 0), tag: 0)
      try lane.flush()
    }
    for lane in subscribers where try lane.message(until: twind_monotonic_nanos() + 5_000_000_000) == nil {
      throw BenchFailure("a subscriber got no first message within 5 s")
    }
    self.subscribers = try CrowdLane(subscribers)
    self.writer = writer
    count = subscribers.count
  }

  /// Writes on a fixed schedule. A delivery's latency counts from when its write was due.
  func run(rate: Double, warmup: Duration, duration: Duration, core: Int?) throws -> Measurement {
    let begin = twind_monotonic_nanos() + 1_000_000
    let start = begin + UInt64(warmup / .nanoseconds(1))
    let end = start + UInt64(duration / .nanoseconds(1))
    let recorder = Recorder()
    let collector = Collector(
      [recorder], from: start, every: max((end - start) / 50, 20_000_000), keepsLog: false, probe: nil)
    let written = Written()
    let writing = Outcome { [self] in
      try write(from: begin, to: end, rate, core, written)
    }
    let reading = Outcome { [self] in try read(from: start, to: end, core, recorder, written) }
    let problems = [writing.join(), reading.join()].compactMap { $0 }
    var measurement = collector.finish()
    if let problem = problems.first { throw problem }
    measurement.seconds = duration / .seconds(1)
    measurement.unsentCount = written.unsent
    return measurement
  }

  private func write(from begin: UInt64, to end: UInt64, _ rate: Double, _ core: Int?, _ written: Written) throws {
    defer { written.finish() }
    if let core { _ = bench_pin_thread(0, Int32(core)) }
    bench_sharpen_timers()
    var schedule = Schedule(rate: rate, .fixed, from: begin, offset: 0, seed: 1)
    while schedule.next < end, twind_monotonic_nanos() < end {
      let due = schedule.next
      schedule.advance()
      bench_sleep_until(due)
      try writer.call(Call(operation: .update, key: 0), stamp: due)
      written.add()
    }
    written.unsent = schedule.dueCount(before: end)
  }

  /// Until all that was written has come to all, or two seconds after the end.
  private func read(
    from start: UInt64, to end: UInt64, _ core: Int?, _ recorder: Recorder, _ written: Written
  ) throws {
    if let core { _ = bench_pin_thread(0, Int32(core)) }
    bench_sharpen_timers()
    var delivered = 0
    while true {
      let now = twind_monotonic_nanos()
      if written.isComplete && (delivered >= written.count * count || now > end + 2_000_000_000) { break }
      try subscribers.messages(until: now + 5_000_000) { message in
        let stamp = bench_stamp(message.baseAddress, message.count)
        if stamp == 0 { return }
        delivered += 1
        messageBytes = message.count
        let now = twind_monotonic_nanos()
        if stamp >= start { recorder.record(now - min(now, stamp)) }
      }
    }
    if delivered < written.count * count {
      throw BenchFailure("\(written.count * count - delivered) of \(written.count * count) messages did not arrive")
    }
  }
}
