// Finds a method by the names in a frame: one hash, two comparisons of bytes, no String.

import Glibc

/// Open addressing over a power of two, at most half full. Never changes. Does not own the methods.
final class MethodTable: Sendable {
  private struct Slot {
    /// The service's name and behind it the method's; nil in an empty slot.
    var names: UnsafeMutableRawPointer?
    var serviceByteCount = 0
    var nameByteCount = 0
    var method: Unmanaged<Method>?
  }

  private nonisolated(unsafe) let slots: UnsafeMutablePointer<Slot>
  private let mask: Int

  init(_ methods: [Method]) {
    var capacity = 16
    while capacity < methods.count * 2 { capacity *= 2 }
    mask = capacity - 1
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: Slot(), count: capacity)
    for method in methods {
      Array(method.service.utf8).withUnsafeBytes { service in
        Array(method.name.utf8).withUnsafeBytes { insert(method, service, $0) }
      }
    }
  }

  deinit {
    for index in 0...mask { slots[index].names?.deallocate() }
    slots.deallocate()
  }

  @inline(__always)
  func find(_ service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Unmanaged<Method>? {
    guard !service.isEmpty, !name.isEmpty else { return nil }
    var index = Self.hash(service, name) & mask
    while let names = slots[index].names {
      if slots[index].serviceByteCount == service.count && slots[index].nameByteCount == name.count
        && memcmp(names + service.count, name.baseAddress!, name.count) == 0
        && memcmp(names, service.baseAddress!, service.count) == 0
      {
        return slots[index].method
      }
      index = (index + 1) & mask
    }
    return nil
  }

  private func insert(_ method: Method, _ service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) {
    precondition(!service.isEmpty && !name.isEmpty, "a method has a name, and so has its service")
    var index = Self.hash(service, name) & mask
    while slots[index].names != nil { index = (index + 1) & mask }
    let names = UnsafeMutableRawPointer.allocate(byteCount: service.count + name.count, alignment: 1)
    names.copyMemory(from: service.baseAddress!, byteCount: service.count)
    (names + service.count).copyMemory(from: name.baseAddress!, byteCount: name.count)
    slots[index] = Slot(
      names: names, serviceByteCount: service.count, nameByteCount: name.count,
      method: Unmanaged.passUnretained(method))
  }

  /// Few methods, names that differ in length and ends: both lengths and four bytes spread them.
  @inline(__always)
  private static func hash(_ service: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Int {
    let start = name.baseAddress!
    var hash = UInt32(truncatingIfNeeded: service.count &* 31 &+ name.count)
    hash = hash &* 0x0100_0193 ^ UInt32(start.load(as: UInt8.self))
    hash = hash &* 0x0100_0193 ^ UInt32(start.load(fromByteOffset: name.count / 2, as: UInt8.self))
    hash = hash &* 0x0100_0193 ^ UInt32(start.load(fromByteOffset: name.count - 1, as: UInt8.self))
    hash = hash &* 0x0100_0193 ^ UInt32(service.baseAddress!.load(fromByteOffset: service.count - 1, as: UInt8.self))
    return Int(hash ^ hash >> 15)
  }
}
