// Who of those that are ready is next: who will have been served least when the turn ends.
//
// Weighted fair queueing (Demers, Keshav and Shenker, 1989) with equal weights: whoever becomes ready begins where equal
// turns for all would have brought it, so that nobody saves up turns by doing nothing, and a newcomer waits for the work
// under way and not for everybody's turn. A turn is expected to take as long as that one's last: of two that have been
// served alike the one with little to do goes first, and costs the other little.

import HeapModule

package struct LeastServed<ID: Hashable> {
  private struct Ready: Comparable {
    /// What it will have been served after its turn.
    let nanos: UInt64
    /// Among equals who has been ready longest.
    let place: UInt64
    let id: ID

    static func < (left: Ready, right: Ready) -> Bool { (left.nanos, left.place) < (right.nanos, right.place) }
    static func == (left: Ready, right: Ready) -> Bool { left.place == right.place }
  }

  private struct Account {
    var nanos: UInt64
    /// Of that its last turn.
    var lastNanos: UInt64

    var nextNanos: UInt64 { nanos + lastNanos }
  }

  private var ready = Heap<Ready>()
  private var accounts: [ID: Account] = [:]
  /// What somebody would have been served who had always been ready.
  private var fairNanos: UInt64 = 0
  private var lastPlace: UInt64 = 0
  /// With so many accounts, those are dropped that may be.
  private var accountsMax = Self.accountsMin
  private static var accountsMin: Int { 1024 }

  package init() {}

  package var isEmpty: Bool { ready.isEmpty }
  package var count: Int { ready.count }

  /// Not to be called for one that is ready.
  package mutating func add(_ id: ID) {
    var account = accounts[id] ?? Account(nanos: 0, lastNanos: 0)
    account.nanos = max(account.nanos, fairNanos)
    accounts[id] = account
    lastPlace += 1
    ready.insert(Ready(nanos: account.nextNanos, place: lastPlace, id: id))
  }

  /// Takes out the next.
  package mutating func next() -> ID? {
    while let first = ready.popMin() {
      // Others of its jobs may have ended while it waited.
      if let nanos = accounts[first.id]?.nextNanos, nanos > first.nanos {
        ready.insert(Ready(nanos: nanos, place: first.place, id: first.id))
        continue
      }
      return first.id
    }
    return nil
  }

  /// Counts a turn.
  package mutating func charge(_ id: ID, _ nanos: UInt64) {
    let before = accounts[id]?.nanos ?? fairNanos
    accounts[id] = Account(nanos: before + nanos, lastNanos: nanos)
    fairNanos += nanos / UInt64(ready.count + 1)
    dropSome()
  }

  /// Who would begin at `fairNanos` anyway needs no account. As many must come before the next look as stay now: one step
  /// costs little on average.
  private mutating func dropSome() {
    guard accounts.count > accountsMax else { return }
    accounts = accounts.filter { $0.value.nanos > fairNanos }
    accountsMax = max(2 * accounts.count, Self.accountsMin)
  }
}
