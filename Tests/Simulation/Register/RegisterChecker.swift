// Is there one order of a register's operations that explains what every agent saw?
//
// Promises: yes exactly when the history is linearizable (Herlihy and Wing): the operations can be put one after the
// other, each between its invocation and its return, so that every read finds the last value written; those of unknown
// outcome may stand anywhere after their invocation, or nowhere. The search is Wing and Gong's, with Lowe's memory of
// the states that led nowhere.

package struct RegisterChecker {
  /// Which operations stand in the order, as the XOR of a random number of 128 bits for each: to remember the sets
  /// themselves would take memory in the square of the history. Two sets of equal mark are not to be expected.
  private struct State: Hashable {
    private var mark: (UInt64, UInt64) = (0, 0)
    var value: String?

    init(value: String?) { self.value = value }

    /// Puts an operation in, or takes it out.
    mutating func turn(_ operation: Int) {
      var random = Random(seed: UInt64(operation))
      mark.0 ^= random.next()
      mark.1 ^= random.next()
    }

    static func == (one: State, other: State) -> Bool { one.mark == other.mark && one.value == other.value }

    func hash(into hasher: inout Hasher) { hasher.combine(mark.0) }
  }

  private struct Step {
    let operation: Int
    let before: String?
  }

  private let operations: [RegisterOperation]
  /// Invocations and returns in their order, as operation numbers.
  private var events: EventList
  private var state: State
  private var steps: [Step] = []
  private var tried: Set<State> = []
  private var returnsLeft: Int
  /// The return that stood in the way when most was explained.
  private var furthest: (steps: Int, operation: Int, value: String?)?

  /// - Parameter value: what the register held before all of them.
  package init(_ history: [RegisterOperation], initially value: String? = nil) {
    operations = RegisterChecker.relevant(history)
    events = EventList(operations)
    state = State(value: value)
    returnsLeft = operations.count { $0.returned != nil }
  }

  /// Nil when there is such an order; otherwise the operation that fits into none.
  package mutating func contradiction() -> String? {
    var event = events.first
    while returnsLeft > 0 {
      if let current = event, !events.isReturn(current) {
        event = take(current) ? events.first : events.next(current)
        continue
      }
      if let current = event { noteObstacle(events.operation(current)) }
      guard let undone = giveBack() else { return description }
      event = events.next(undone)
    }
    return nil
  }

  /// Puts an operation next in the order, unless it cannot stand there or that was tried before.
  private mutating func take(_ event: Int) -> Bool {
    let number = events.operation(event)
    guard let value = operations[number].applied(to: state.value) else { return false }
    var next = state
    next.turn(number)
    next.value = value
    guard tried.insert(next).inserted else { return false }
    steps.append(Step(operation: number, before: state.value))
    state = next
    events.remove(number)
    if operations[number].returned != nil { returnsLeft -= 1 }
    return true
  }

  /// Takes the last one out again; returns its invocation.
  private mutating func giveBack() -> Int? {
    guard let step = steps.popLast() else { return nil }
    state.turn(step.operation)
    state.value = step.before
    events.restore(step.operation)
    if operations[step.operation].returned != nil { returnsLeft += 1 }
    return events.invocation(step.operation)
  }

  private mutating func noteObstacle(_ operation: Int) {
    if steps.count >= furthest?.steps ?? 0 { furthest = (steps.count, operation, state.value) }
  }

  private var description: String {
    guard let furthest else { return "no order of the operations explains them" }
    let operation = operations[furthest.operation]
    let value = furthest.value.map { "\"\($0)\"" } ?? "nothing"
    return "\(operation.action) by \(operation.agent), from event \(operation.invoked) to "
      + "\(operation.returned ?? operation.invoked), fits into no order: the longest one that explains the others "
      + "before it leaves \(value)"
  }

  /// Without what cannot matter: reads without a result, and writes of unknown outcome whose value nobody saw.
  private static func relevant(_ history: [RegisterOperation]) -> [RegisterOperation] {
    let seen = Set(history.compactMap(\.found))
    return history.filter { operation in
      if operation.returned != nil { return true }
      return operation.left.map { seen.contains($0) } ?? false
    }
  }
}
