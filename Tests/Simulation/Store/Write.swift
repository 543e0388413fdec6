// One write under way: what is expected of it, and what it means for the attributes that the register checker follows.

import TwinStore

final class Write: @unchecked Sendable {
  let wish: Wish
  let expected: StoreModel.Expectation
  private let world: World
  private var operations: [(register: String, place: Int)] = []
  private var isDoubtful = false

  init(_ wish: Wish, _ expected: StoreModel.Expectation, _ world: World) {
    self.wish = wish
    self.expected = expected
    self.world = world
    guard case .entry = expected else { return }
    for twin in wish.twins {
      if wish.kind == .delete {
        for register in Wishes.registers { begin(twin.name, register, nil) }
      }
      for change in twin.changes where Wishes.registers.contains(change.attribute) {
        if case .set(.string(let text)) = change.what {
          begin(twin.name, change.attribute, text)
        } else {
          begin(twin.name, change.attribute, nil)
        }
      }
    }
  }

  private func begin(_ twin: String, _ attribute: String, _ value: String?) {
    let register = "\(twin) \(attribute)"
    operations.append((register, world.registers.write(register, value, by: wish.agent)))
  }

  /// It is in the log.
  func append(_ entry: LogEntry) {
    world.remember(self, at: world.model.log.count)
    world.model.append(entry)
  }

  func acknowledge() {
    for operation in operations { world.registers.end(operation.register, operation.place) }
  }

  /// It certainly had no effect.
  func fail() {
    for operation in operations { world.registers.fail(operation.register, operation.place) }
  }

  /// Nobody knows whether it had an effect.
  func doubt() throws(HistoryFailure) {
    guard case .entry(let entry, _) = expected else { return }
    isDoubtful = true
    world.remember(self, at: world.model.log.count)
    try world.model.doubt(entry)
  }

  /// A crash took it.
  func lose() {
    if isDoubtful { return fail() }
    for operation in operations { world.registers.lose(operation.register, from: operation.place) }
  }
}
