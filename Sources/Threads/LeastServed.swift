// Who of those that are ready is next: who will have been served least when the turn ends.
//
// Weighted fair queueing (Demers, Keshav and Shenker, 1989) with equal weights: whoever becomes ready begins where equal
// turns for all would have brought it, so that nobody saves up turns by doing nothing, and a newcomer waits for the work
// under way and not for everybody's turn. A turn is expected to take as long as that one's last: of two that have been
// served alike the one with little to do goes first, and costs the other little.
//
// Public, so that it can be inlined: generic code of another module costs a look-up of its types at each call.

import HeapModule

public struct LeastServed<ID: Hashable> {
  @usableFromInline struct Ready: Comparable {
    /// What it will have been served after its turn.
    @usableFromInline let nanos: UInt64
    /// Among equals who has been ready longest.
    @usableFromInline let place: UInt64
    @usableFromInline let id: ID

    @inlinable init(nanos: UInt64, place: UInt64, id: ID) {
      self.nanos = nanos
      self.place = place
      self.id = id
    }

    @inlinable static func < (left: Ready, right: Ready) -> Bool {
      (left.nanos, left.place) < (right.nanos, right.place)
    }
    @inlinable static func == (left: Ready, right: Ready) -> Bool { left.place == right.place }
  }

  @usableFromInline struct Account {
    @usableFromInline var nanos: UInt64
    /// Of that its last turn.
    @usableFromInline var lastNanos: UInt64

    @inlinable init(nanos: UInt64, lastNanos: UInt64) {
      self.nanos = nanos
      self.lastNanos = lastNanos
    }

    @inlinable var nextNanos: UInt64 { nanos + lastNanos }
  }

  @usableFromInline var ready = Heap<Ready>()
  @usableFromInline var accounts: [ID: Account] = [:]
  /// What somebody would have been served who had always been ready.
  @usableFromInline var fairNanos: UInt64 = 0
  @usableFromInline var lastPlace: UInt64 = 0
  /// With so many accounts, those are dropped that may be.
  @usableFromInline var accountsMax = Self.accountsMin
  @inlinable static var accountsMin: Int { 1024 }

  @inlinable public init() {}

  @inlinable public var isEmpty: Bool { ready.isEmpty }
  @inlinable public var count: Int { ready.count }

  /// Not to be called for one that is ready.
  @inlinable public mutating func add(_ id: ID) {
    var account = accounts[id] ?? Account(nanos: 0, lastNanos: 0)
    account.nanos = max(account.nanos, fairNanos)
    accounts[id] = account
    lastPlace += 1
    ready.insert(Ready(nanos: account.nextNanos, place: lastPlace, id: id))
  }

  /// Takes out the next.
  @inlinable public mutating func next() -> ID? {
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
  @inlinable public mutating func charge(_ id: ID, _ nanos: UInt64) {
    let before = accounts[id]?.nanos ?? fairNanos
    accounts[id] = Account(nanos: before + nanos, lastNanos: nanos)
    fairNanos += nanos / UInt64(ready.count + 1)
    dropSome()
  }

  /// Who would begin at `fairNanos` anyway needs no account. As many must come before the next look as stay now: one step
  /// costs little on average.
  @inlinable mutating func dropSome() {
    guard accounts.count > accountsMax else { return }
    accounts = accounts.filter { $0.value.nanos > fairNanos }
    accountsMax = max(2 * accounts.count, Self.accountsMin)
  }
}
