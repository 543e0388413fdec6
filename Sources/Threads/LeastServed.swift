// Who of those that are ready is next: who has been served least.
//
// Start-time fair queueing (Goyal, Vin and Cheng, 1996): whoever becomes ready begins where the least served are, so that
// nobody saves up turns by doing nothing, and a newcomer waits for the work under way and not for everybody's turn.

import HeapModule

package struct LeastServed<ID: Hashable> {
  private struct Ready: Comparable {
    let nanos: UInt64
    /// Among equals who has been ready longest.
    let place: UInt64
    let id: ID

    static func < (left: Ready, right: Ready) -> Bool { (left.nanos, left.place) < (right.nanos, right.place) }
    static func == (left: Ready, right: Ready) -> Bool { left.place == right.place }
  }

  private var ready = Heap<Ready>()
  /// Time served, of all that are ready and of those who have had more than `floor`.
  private var served: [ID: UInt64] = [:]
  /// What whoever was served last had had: nobody who is ready has had less.
  private var floor: UInt64 = 0
  private var lastPlace: UInt64 = 0
  /// With so many served, those are forgotten that may be.
  private var servedMax = Self.servedMin
  private static var servedMin: Int { 64 }

  package init() {}

  package var isEmpty: Bool { ready.isEmpty }

  /// Not to be called for one that is ready.
  package mutating func add(_ id: ID) {
    let nanos = max(served[id] ?? 0, floor)
    served[id] = nanos
    lastPlace += 1
    ready.insert(Ready(nanos: nanos, place: lastPlace, id: id))
  }

  /// Takes out the next.
  package mutating func next() -> ID? {
    while let first = ready.popMin() {
      // Others of its jobs may have ended while it waited.
      if let nanos = served[first.id], nanos > first.nanos {
        ready.insert(Ready(nanos: nanos, place: first.place, id: first.id))
        continue
      }
      floor = first.nanos
      forgetSome()
      return first.id
    }
    return nil
  }

  /// Counts what one has been served.
  package mutating func charge(_ id: ID, _ nanos: UInt64) { served[id] = (served[id] ?? floor) + nanos }

  /// Those that would begin at `floor` anyway need not be remembered. As many must come before the next look as stay now:
  /// one step costs little on average.
  private mutating func forgetSome() {
    guard served.count > servedMax else { return }
    served = served.filter { $0.value > floor }
    servedMax = max(2 * served.count, Self.servedMin)
  }
}
