// Timers fire in the order of their times, one for each owner.

import TTRPC
import Testing

@Suite struct TimerQueueTests {
  @Test func timesComeOutInOrderAndNotEarly() {
    var random = SeededRandom(seed: 9)
    var queue = TimerQueue()
    var expected: [UInt64] = []
    for token in 0..<500 {
      let nanos = UInt64.random(in: 0..<1_000, using: &random)
      queue.insert(TimerQueue.Entry(nanos: nanos, token: UInt64(token)))
      expected.append(nanos)
    }
    expected.sort()
    #expect(queue.next == expected[0])
    var taken: [UInt64] = []
    for now: UInt64 in stride(from: 0, to: 1_000, by: 7) {
      while let entry = queue.take(now: now) {
        #expect(entry.nanos <= now)
        taken.append(entry.nanos)
      }
      #expect(queue.next > now)
    }
    while let entry = queue.take(now: .max) { taken.append(entry.nanos) }
    #expect(taken == expected)
    #expect(queue.next == .max)
  }
}
