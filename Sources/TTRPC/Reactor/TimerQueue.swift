// When which connection wants to be looked at.

/// A binary heap of times. An entry may be outdated: whoever takes it compares it with what its owner wants now.
package struct TimerQueue {
  package struct Entry {
    package var nanos: UInt64
    package var token: UInt64

    package init(nanos: UInt64, token: UInt64) {
      self.nanos = nanos
      self.token = token
    }
  }

  private var heap: [Entry] = []

  package init() {}

  /// The earliest time; `UInt64.max` = none.
  package var next: UInt64 { heap.first?.nanos ?? .max }

  package mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].nanos < heap[parent].nanos else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the earliest entry that is due.
  package mutating func take(now: UInt64) -> Entry? {
    guard let first = heap.first, first.nanos <= now else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].nanos < heap[least].nanos {
        least = child
      }
      guard least != parent else { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
