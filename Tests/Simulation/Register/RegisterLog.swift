// Histories of many registers as lines of JSON, as system tests write them while they run.
//
//   {"agent":"a1","event":"invoke","on":"acme/customer/7 plan","do":"write","value":"17"}
//   {"agent":"a1","event":"ok"}
//   {"agent":"a2","event":"invoke","on":"acme/customer/7 plan","do":"read"}
//   {"agent":"a2","event":"ok","value":"17"}
//
// do: read, write, or swap, which names what it expects in "expected". event: invoke, then ok, fail (it certainly had
// no effect) or unknown; without any of these it is unknown too. A value is a text or a whole number; null or left out
// = absent. An agent has one operation at a time; the order of the lines is the order of the events.

import FoundationEssentials

package struct RegisterLog {
  /// A line that is not as it must be.
  package struct Malformed: Error, CustomStringConvertible {
    package let description: String
  }

  private struct Line: Decodable {
    let agent: String
    let event: String
    let on: String?
    let `do`: String?
    let value: Value?
    let expected: Value?
  }

  private struct Value: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int64.self) {
        text = String(number)
      } else {
        text = try container.decode(String.self)
      }
    }
  }

  private var registers: [String: [RegisterOperation]] = [:]
  private var open: [String: (register: String, operation: RegisterOperation)] = [:]
  private var lines = 0

  package init() {}

  package var operations: Int { registers.values.reduce(0) { $0 + $1.count } }

  /// Those with operations, in the order of their names.
  package var names: [String] { registers.keys.sorted() }

  package mutating func read(_ text: some StringProtocol) throws(Malformed) {
    lines += 1
    let line: Line
    do {
      line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
    } catch {
      throw Malformed(description: "line \(lines) is not an event: \(text.prefix(80))")
    }
    switch line.event {
    case "invoke": try invoke(line)
    case "ok": try end(line, returned: lines)
    case "unknown": try end(line, returned: nil)
    case "fail":
      if open.removeValue(forKey: line.agent) == nil { throw unopened(line) }
    default: throw Malformed(description: "line \(lines): event is invoke, ok, fail or unknown, not \(line.event)")
    }
  }

  /// Ends what is still open, and says for each register what contradicts itself, if anything does.
  package mutating func contradictions() -> [(register: String, reason: String)] {
    for agent in open.keys.sorted() {
      if let (register, operation) = open.removeValue(forKey: agent) { registers[register]?.append(operation) }
    }
    return names.compactMap { name in
      var checker = RegisterChecker(registers[name] ?? [])
      return checker.contradiction().map { (name, $0) }
    }
  }

  private mutating func invoke(_ line: Line) throws(Malformed) {
    if let (register, operation) = open[line.agent] {
      throw Malformed(
        description:
          "line \(lines): \(line.agent) has not ended its operation on \(register) of line \(operation.invoked)")
    }
    guard let register = line.on else { throw Malformed(description: "line \(lines) names no register in \"on\"") }
    let action: RegisterOperation.Action
    switch line.do {
    case "read": action = .read(nil)
    case "write": action = .write(line.value?.text)
    case "swap": action = .swap(line.expected?.text, line.value?.text)
    default: throw Malformed(description: "line \(lines): do is read, write or swap, not \(line.do ?? "left out")")
    }
    registers[register, default: []] += []
    open[line.agent] = (register, RegisterOperation(action, agent: line.agent, invoked: lines, returned: nil))
  }

  private mutating func end(_ line: Line, returned: Int?) throws(Malformed) {
    guard let (register, invoked) = open.removeValue(forKey: line.agent) else { throw unopened(line) }
    var operation = invoked
    operation.returned = returned
    if case .read = operation.action { operation.action = .read(line.value?.text) }
    registers[register]?.append(operation)
  }

  private func unopened(_ line: Line) -> Malformed {
    Malformed(description: "line \(lines): \(line.agent) ends an operation that it has not invoked")
  }
}
