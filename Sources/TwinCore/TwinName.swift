// A twin's name, `space/kind/id`, as a view of bytes that someone else owns.
//
// Promises: equal and ordered by bytes, so that two spellings of one letter are two twins. It is the key of
// the cache, where it points into the twin's own buffer.

public struct TwinName: @unchecked Sendable {
  public let bytes: UnsafeRawBufferPointer

  /// Bytes already known to keep the grammar.
  @inlinable
  public init(unchecked bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Checks the grammar.
  package init(_ text: Text) throws(TwinError) { try self.init(text.bytes) }

  /// Checks the grammar.
  package init(_ bytes: UnsafeRawBufferPointer) throws(TwinError) {
    if !isPlainName(bytes) { try Self.check(bytes) }
    self.bytes = bytes
  }

  /// Says what is wrong, if anything.
  private static func check(_ bytes: UnsafeRawBufferPointer) throws(TwinError) {
    guard let first = bytes.firstIndex(of: slash),
      let second = bytes[(first + 1)...].firstIndex(of: slash)
    else {
      throw .invalid("\(bytes.isEmpty ? "an empty name" : quoted(bytes)) is not a valid twin name: write space/kind/id")
    }
    try checkSpaceOrKind(bytes.part(0, first), "space", in: bytes)
    try checkSpaceOrKind(bytes.part(first + 1, second - first - 1), "kind", in: bytes)
    let id = bytes.part(second + 1, bytes.count - second - 1)
    if id.isEmpty { throw .invalid("the id in \(quoted(bytes)) is empty: write space/kind/id") }
    try checkID(id, in: bytes)
  }

  /// The part before the first slash.
  package var space: UnsafeRawBufferPointer {
    bytes.part(0, bytes.firstIndex(of: slash) ?? bytes.count)
  }

  package var array: [UInt8] { [UInt8](bytes) }
}

extension TwinName: Hashable {
  @inlinable
  public static func == (left: TwinName, right: TwinName) -> Bool { equalBytes(left.bytes, right.bytes) }

  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
}

extension TwinName: Comparable {
  @inlinable
  public static func < (left: TwinName, right: TwinName) -> Bool { compareBytes(left.bytes, right.bytes) < 0 }
}

extension TwinName: CustomStringConvertible {
  public var description: String { quoted(bytes) }
}

private let slash = UInt8(ascii: "/")
