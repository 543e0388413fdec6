// Which attributes a reader wants. A name covers itself and all names below it: "address" covers
// "address.city". No names at all cover everything.
//
// Promises: owns its bytes, so that a watch may keep it; a lookup is one binary search over bytes.

public struct AttributeMask: Sendable {
  /// Covers everything.
  package static let all = AttributeMask()

  /// nil covers everything. One reference, so that a mask without names costs a read nothing.
  @usableFromInline let names: Names?

  package init() { names = nil }

  /// The `attributes` of a request, as protobuf-c unpacked them.
  @inline(__always)
  package init(_ names: UnsafePointer<UnsafeMutablePointer<CChar>?>?, count: Int) throws(TwinError) {
    guard count > 0, let names else {
      self.names = nil
      return
    }
    self.names = try Names(names, count)
  }

  /// Valid names; none cover everything.
  package init(names: [[UInt8]]) { self.names = names.isEmpty ? nil : Names(names) }

  @inlinable public var isAll: Bool { names == nil }

  /// Whether the attribute is wanted.
  @inlinable
  public func covers(_ name: UnsafeRawBufferPointer) -> Bool { names?.cover(name) ?? true }

  /// The names one behind the other, in byte order, none below another one.
  @usableFromInline
  final class Names: Sendable {
    private let bytes: [UInt8]
    private let ends: [Int]

    fileprivate init(_ names: UnsafePointer<UnsafeMutablePointer<CChar>?>, _ count: Int) throws(TwinError) {
      if count > Limits.maskNamesMax {
        throw .limit(
          .invalidArgument, "the list of attributes", "maskNamesMax", maximum: Limits.maskNamesMax, actual: count,
          unit: "names")
      }
      var sorted: [Text] = []
      sorted.reserveCapacity(count)
      for index in 0..<count {
        let name = Text(names[index])
        try checkAttributeName(name.bytes)
        sorted.append(name)
      }
      sorted.sort { compareBytes($0.bytes, $1.bytes) < 0 }
      var (bytes, ends) = ([UInt8](), [Int]())
      for name in sorted { Self.append(name.bytes, &bytes, &ends) }
      (self.bytes, self.ends) = (bytes, ends)
    }

    fileprivate init(_ names: [[UInt8]]) {
      let sorted = names.sorted { left, right in
        left.withUnsafeBytes { left in right.withUnsafeBytes { compareBytes(left, $0) < 0 } }
      }
      var (bytes, ends) = ([UInt8](), [Int]())
      for name in sorted { name.withUnsafeBytes { Self.append($0, &bytes, &ends) } }
      (self.bytes, self.ends) = (bytes, ends)
    }

    private static func append(_ name: UnsafeRawBufferPointer, _ bytes: inout [UInt8], _ ends: inout [Int]) {
      if cover(name, bytes, ends) { return }
      bytes.append(contentsOf: name)
      ends.append(bytes.count)
    }

    @usableFromInline
    func cover(_ name: UnsafeRawBufferPointer) -> Bool { Self.cover(name, bytes, ends) }

    /// "." sorts before all else a name may hold and no mask name is below another, so only the last mask name that is
    /// not after `name` can cover it.
    private static func cover(_ name: UnsafeRawBufferPointer, _ bytes: [UInt8], _ ends: [Int]) -> Bool {
      bytes.withUnsafeBytes { all in
        var low = 0
        var high = ends.count
        while low < high {
          let middle = (low + high) / 2
          if compareBytes(part(middle, of: all, ends), name) <= 0 { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return false }
        let candidate = part(low - 1, of: all, ends)
        return name.starts(with: candidate)
          && (name.count == candidate.count || name[candidate.count] == UInt8(ascii: "."))
      }
    }

    private static func part(_ index: Int, of all: UnsafeRawBufferPointer, _ ends: [Int]) -> UnsafeRawBufferPointer {
      let start = index == 0 ? 0 : ends[index - 1]
      return all.part(start, ends[index] - start)
    }
  }
}
