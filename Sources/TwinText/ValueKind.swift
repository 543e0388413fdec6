// The kinds of values, by the names that people write.

import TwinClient

package enum ValueKind: String, CaseIterable, Sendable {
  case string, int, double, bool, bytes, timestamp, list, json
  /// Of a version that is newer than this one. Only such a value has it, and an export of one.
  case unknown

  /// Those that people can choose from.
  package static var names: String {
    allCases.filter { $0 != .unknown }.map(\.rawValue).joined(separator: ", ")
  }

  /// Throws when there is no such kind.
  package init(named word: String) throws(TextFault) {
    guard let kind = ValueKind(rawValue: word) else {
      throw TextFault("\(word.excerpt()) is no kind: use one of \(Self.names)")
    }
    self = kind
  }
}

extension Value {
  package var kind: ValueKind {
    switch self {
    case .scalar(let scalar): scalar.kind
    case .list: .list
    case .json: .json
    }
  }
}

extension Scalar {
  var kind: ValueKind {
    switch self {
    case .string: .string
    case .int: .int
    case .double: .double
    case .bool: .bool
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .unknown: .unknown
    }
  }
}
