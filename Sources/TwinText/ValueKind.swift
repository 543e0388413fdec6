// The names of the kinds of values.

import TwinClient

package enum ValueKind: String, CaseIterable, Sendable {
  case string, int, double, bool, bytes, timestamp, list, json
  /// A kind of a newer version. Only in values from such a version and in exports.
  case unknown

  /// The kinds that can be chosen.
  package static var names: String {
    allCases.filter { $0 != .unknown }.map(\.rawValue).joined(separator: ", ")
  }

  /// Throws if there is no such kind.
  package init(named word: String) throws(TextFault) {
    guard let kind = ValueKind(rawValue: word) else {
      throw TextFault("\(word.excerpt()) is not a kind: use one of \(Self.names)")
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
