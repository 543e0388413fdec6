import Foundation

/// Counts across threads, and waits for the count to grow.
final class Counter: @unchecked Sendable {
  private let condition = NSCondition()
  private var count = 0

  var value: Int { condition.withLock { count } }

  func add() {
    condition.withLock {
      count += 1
      condition.broadcast()
    }
  }

  /// The count once it is above `floor`; gives up after ten seconds.
  func wait(above floor: Int) -> Int {
    condition.withLock {
      let end = Date(timeIntervalSinceNow: 10)
      while count <= floor, condition.wait(until: end) {}
      return count
    }
  }
}
