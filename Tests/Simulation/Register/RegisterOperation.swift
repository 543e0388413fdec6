// One operation of one agent on one register: a twin's attribute, or whatever has a value at a time.

package struct RegisterOperation: Sendable {
  package enum Action: Equatable, Sendable, CustomStringConvertible {
    /// Nil = found, or made, absent.
    case read(String?)
    case write(String?)
    /// Writes only where the first is found.
    case swap(String?, String?)

    package var description: String {
      func text(_ value: String?) -> String { value.map { "\"\($0)\"" } ?? "nothing" }
      return switch self {
      case .read(let value): "read of \(text(value))"
      case .write(let value): "write of \(text(value))"
      case .swap(let expected, let value): "swap of \(text(expected)) for \(text(value))"
      }
    }
  }

  /// What was read or written.
  package var action: Action
  package let agent: String
  /// Places in the order of all events: it took effect between the two.
  package let invoked: Int
  /// Nil: nobody knows whether, and when, it took effect.
  package var returned: Int?

  package init(_ action: Action, agent: String, invoked: Int, returned: Int?) {
    self.action = action
    self.agent = agent
    self.invoked = invoked
    self.returned = returned
  }

  /// The value after it, from the one before; nil when it cannot follow on that.
  func applied(to value: String?) -> String?? {
    switch action {
    case .read(let found): found == value ? .some(value) : nil
    case .write(let new): .some(new)
    case .swap(let expected, let new): expected == value ? .some(new) : nil
    }
  }

  /// The value that it must have found.
  var found: String?? {
    switch action {
    case .read(let value), .swap(let value, _): .some(value)
    case .write: nil
    }
  }

  /// The value that it left.
  var left: String?? {
    switch action {
    case .read: nil
    case .write(let value), .swap(_, let value): .some(value)
    }
  }
}
