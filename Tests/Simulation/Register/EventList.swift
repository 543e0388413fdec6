// The events of a history as a list from which an operation can be taken and put back at its place in one step.

struct EventList {
  private var nextEvent: [Int?]
  private var previousEvent: [Int?]
  private let operations: [Int]
  private let returns: [Bool]
  private var invocations: [Int]
  private var returnEvents: [Int?]
  private(set) var first: Int?

  init(_ history: [RegisterOperation]) {
    var events: [(place: Int, operation: Int, isReturn: Bool)] = []
    for (number, operation) in history.enumerated() {
      events.append((operation.invoked, number, false))
      if let returned = operation.returned { events.append((returned, number, true)) }
    }
    events.sort { $0.place < $1.place }
    operations = events.map(\.operation)
    returns = events.map(\.isReturn)
    nextEvent = events.indices.map { $0 + 1 < events.count ? $0 + 1 : nil }
    previousEvent = events.indices.map { $0 > 0 ? $0 - 1 : nil }
    first = events.isEmpty ? nil : 0
    invocations = [Int](repeating: 0, count: history.count)
    returnEvents = [Int?](repeating: nil, count: history.count)
    for (index, event) in events.enumerated() {
      if event.isReturn { returnEvents[event.operation] = index } else { invocations[event.operation] = index }
    }
  }

  func next(_ event: Int) -> Int? { nextEvent[event] }

  func isReturn(_ event: Int) -> Bool { returns[event] }

  func operation(_ event: Int) -> Int { operations[event] }

  func invocation(_ operation: Int) -> Int { invocations[operation] }

  mutating func remove(_ operation: Int) {
    unlink(invocations[operation])
    if let event = returnEvents[operation] { unlink(event) }
  }

  /// Must be the operation that was removed last.
  mutating func restore(_ operation: Int) {
    if let event = returnEvents[operation] { link(event) }
    link(invocations[operation])
  }

  private mutating func unlink(_ event: Int) {
    if let previous = previousEvent[event] { nextEvent[previous] = nextEvent[event] } else { first = nextEvent[event] }
    if let next = nextEvent[event] { previousEvent[next] = previousEvent[event] }
  }

  private mutating func link(_ event: Int) {
    if let previous = previousEvent[event] { nextEvent[previous] = event } else { first = event }
    if let next = nextEvent[event] { previousEvent[next] = event }
  }
}
