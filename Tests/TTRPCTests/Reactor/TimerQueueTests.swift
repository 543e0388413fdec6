// Timers fire in the order of their times, one for each owner.

import TTRPC
import Testing

@Suite struct TimerQueueTests {
  @Test func timesComeOutInOrderAndNotEarly() {
    var random = SeededRandom(seed: 9)
    var queue = TimerQueue()
    var wanted: [UInt64: UInt64] = [:]
    // Set, set again, and remove: what counts is the last time of each token.
    for _ in 0..<2_000 {
      let token = UInt64.random(in: 0..<300, using: &random)
      if Int.random(in: 0..<4, using: &random) == 0 {
        queue.remove(token)
        wanted[token] = nil
      } else {
        let nanos = UInt64.random(in: 0..<1_000, using: &random)
        queue.set(token, to: nanos)
        wanted[token] = nanos
      }
      #expect(queue.count == wanted.count)
      #expect(queue.next == wanted.values.min() ?? .max)
    }
    for now: UInt64 in stride(from: 0, through: 1_000, by: 5) {
      while let token = queue.take(now: now) {
        #expect(wanted.removeValue(forKey: token).map { $0 <= now } == true)
      }
      #expect(queue.next > now)
      #expect(queue.next == wanted.values.min() ?? .max)
    }
    #expect(queue.count == 0)
    #expect(wanted.isEmpty)
  }
}
