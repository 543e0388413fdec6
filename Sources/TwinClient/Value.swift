// Values of attributes.

/// A value that is not a list.
public enum Scalar: Equatable, Sendable {
  case string(String)
  case int(Int64)
  case double(Double)
  case bool(Bool)
  case bytes([UInt8])
  /// Microseconds since the Unix epoch.
  case timestamp(Int64)
  /// A kind that this version does not know: the encoded twind.v1.Value, or twind.v1.Scalar in a list. It can be
  /// written back unchanged.
  case unknown([UInt8])
}

/// An attribute's value.
public enum Value: Equatable, Sendable {
  case scalar(Scalar)
  case list([Scalar])
  /// JSON text, kept as written.
  case json(String)

  public static func string(_ text: String) -> Value { .scalar(.string(text)) }
  public static func int(_ number: Int64) -> Value { .scalar(.int(number)) }
  public static func double(_ number: Double) -> Value { .scalar(.double(number)) }
  public static func bool(_ truth: Bool) -> Value { .scalar(.bool(truth)) }
  public static func bytes(_ bytes: [UInt8]) -> Value { .scalar(.bytes(bytes)) }
  public static func timestamp(_ micros: Int64) -> Value { .scalar(.timestamp(micros)) }
  public static func unknown(_ encoded: [UInt8]) -> Value { .scalar(.unknown(encoded)) }
}
