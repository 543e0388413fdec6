// What agents saw of single attributes, for the register checker: an order of reads and writes must explain it.

import TwinFixtures

struct Registers {
  private var histories: [String: [RegisterOperation?]] = [:]
  private var clock = 0

  /// A write begins; returns its place for `end`.
  mutating func write(_ register: String, _ value: String?, by agent: String) -> Int {
    begin(register, .write(value), agent)
  }

  mutating func read(_ register: String, _ value: String?, by agent: String) {
    let place = begin(register, .read(value), agent)
    end(register, place)
  }

  private mutating func begin(_ register: String, _ action: RegisterOperation.Action, _ agent: String) -> Int {
    clock += 1
    histories[register, default: []].append(RegisterOperation(action, agent: agent, invoked: clock, returned: nil))
    return histories[register, default: []].count - 1
  }

  /// It was acknowledged.
  mutating func end(_ register: String, _ place: Int) {
    clock += 1
    histories[register]?[place]?.returned = clock
  }

  /// It certainly had no effect.
  mutating func fail(_ register: String, _ place: Int) { histories[register]?[place] = nil }

  /// A crash took this write, as it may have: nothing from there on happened.
  mutating func lose(_ register: String, from place: Int) {
    guard let count = histories[register]?.count, place < count else { return }
    for index in place..<count { histories[register]?[index] = nil }
  }

  func check() throws(HistoryFailure) {
    for register in histories.keys.sorted() {
      var checker = RegisterChecker((histories[register] ?? []).compactMap { $0 })
      if let reason = checker.contradiction() { throw HistoryFailure("\(register): \(reason)") }
    }
  }
}
