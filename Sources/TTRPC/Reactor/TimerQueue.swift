// Timers of connections.

/// A binary heap of times, one for each owner: setting another time replaces the first.
package struct TimerQueue {
  private struct Entry {
    var nanos: UInt64
    var token: UInt64
  }

  private var heap: [Entry] = []
  /// The position of each token's entry.
  private var places: [UInt64: Int] = [:]

  package init() {}

  package var count: Int { heap.count }

  /// The earliest time; `UInt64.max`: none.
  package var next: UInt64 { heap.first?.nanos ?? .max }

  /// Sets the token's time.
  package mutating func set(_ token: UInt64, to nanos: UInt64) {
    if let place = places[token] {
      heap[place].nanos = nanos
      settle(place)
    } else {
      heap.append(Entry(nanos: nanos, token: token))
      places[token] = heap.count - 1
      settle(heap.count - 1)
    }
  }

  /// Removes the token's time.
  package mutating func remove(_ token: UInt64) {
    guard let place = places.removeValue(forKey: token) else { return }
    let last = heap.removeLast()
    guard place < heap.count else { return }
    heap[place] = last
    places[last.token] = place
    settle(place)
  }

  /// Removes and returns the token with the earliest time, if that has come.
  package mutating func take(now: UInt64) -> UInt64? {
    guard let first = heap.first, first.nanos <= now else { return nil }
    remove(first.token)
    return first.token
  }

  /// Moves an entry up or down to where it belongs.
  private mutating func settle(_ start: Int) {
    var place = start
    while place > 0, heap[place].nanos < heap[(place - 1) / 2].nanos {
      swap(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].nanos < heap[least].nanos {
        least = child
      }
      guard least != place else { return }
      swap(place, least)
      place = least
    }
  }

  private mutating func swap(_ one: Int, _ other: Int) {
    heap.swapAt(one, other)
    places[heap[one].token] = one
    places[heap[other].token] = other
  }
}
