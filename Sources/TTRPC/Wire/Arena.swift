// Memory for the messages of a call, freed all at once.
//
// protobuf-c unpacks into it with a budget: above the budget allocations return NULL, and unpacking fails. Handlers
// build replies in it. Each reactor has one; a call's messages are freed with the call.

import CProtobufC
import Glibc

/// A bump allocator that keeps its first chunk.
public final class Arena {
  private static let alignment = 16

  /// Where the next bytes go. Allocated separately, since protobuf-c calls back with its address.
  private struct Place {
    var position: UnsafeMutableRawPointer
    var end: UnsafeMutableRawPointer
    var budget = Int.max
    let arena: Unmanaged<Arena>
  }

  private let chunkBytes: Int
  private let first: UnsafeMutableRawPointer
  private var more: [UnsafeMutableRawPointer] = []
  private let place: UnsafeMutablePointer<Place>
  private let allocator: UnsafeMutablePointer<ProtobufCAllocator>

  /// - Parameter chunkBytes: how much it keeps, and allocates at a time.
  public init(chunkBytes: Int = 64 << 10) {
    self.chunkBytes = chunkBytes
    first = .allocate(byteCount: chunkBytes, alignment: Self.alignment)
    place = .allocate(capacity: 1)
    allocator = .allocate(capacity: 1)
    place.initialize(
      to: Place(position: first, end: first + chunkBytes, arena: Unmanaged.passUnretained(self)))
    allocator.initialize(
      to: ProtobufCAllocator(
        alloc: { place, size in Arena.allocate(size, at: place!.assumingMemoryBound(to: Place.self)) },
        free: { _, _ in }, allocator_data: UnsafeMutableRawPointer(place)))
  }

  deinit {
    reset()
    first.deallocate()
    place.deallocate()
    allocator.deallocate()
  }

  /// Frees everything that was allocated.
  public func reset() {
    let end = first + chunkBytes
    if place.pointee.end != end {
      for chunk in more { chunk.deallocate() }
      more.removeAll()
      place.pointee.end = end
    }
    place.pointee.position = first
    place.pointee.budget = Int.max
  }

  /// Memory that is valid until the next reset; nil above the budget.
  func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? { Self.allocate(byteCount, at: place) }

  @inline(__always)
  private static func allocate(_ byteCount: Int, at place: UnsafeMutablePointer<Place>) -> UnsafeMutableRawPointer? {
    let rounded = max(byteCount, 1).addingReportingOverflow(alignment - 1)
    guard !rounded.overflow else { return nil }
    let count = rounded.partialValue & ~(alignment - 1)
    guard count <= place.pointee.budget else { return nil }
    place.pointee.budget -= count
    if place.pointee.end - place.pointee.position < count {
      place.pointee.arena._withUnsafeGuaranteedRef { $0.addChunk(count) }
    }
    defer { place.pointee.position += count }
    return place.pointee.position
  }

  private func addChunk(_ byteCount: Int) {
    let count = max(byteCount, chunkBytes)
    let chunk = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: Self.alignment)
    more.append(chunk)
    place.pointee.position = chunk
    place.pointee.end = chunk + count
  }

  /// Checks and unpacks an encoded message, which is valid until the next reset.
  ///
  /// Throws INVALID_ARGUMENT if the bytes are not valid.
  func unpack(_ descriptor: Descriptor, _ bytes: UnsafeRawBufferPointer) throws(RPCError) -> UnsafeRawPointer {
    try AdmissionScan.check(bytes, descriptor)
    place.pointee.budget = Limits.unpackBytesBase + 32 * bytes.count
    defer { place.pointee.budget = Int.max }
    let message = protobuf_c_message_unpack(
      descriptor.pointer, allocator, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    guard let message else {
      throw RPCError(.invalidArgument, "the payload is not a valid \(descriptor.name): check the client's encoder")
    }
    return UnsafeRawPointer(message)
  }

  /// The same, typed.
  public func unpack<Message: ProtobufMessage>(
    _ type: Message.Type = Message.self, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> UnsafePointer<Message> {
    try unpack(Message.descriptor, bytes).assumingMemoryBound(to: Message.self)
  }

  // MARK: Building replies

  /// An initialised message.
  public func make<Message: ProtobufMessage>(_ type: Message.Type = Message.self) -> UnsafeMutablePointer<Message> {
    let pointer = bytes(MemoryLayout<Message>.size)
    Message.descriptor.pointer.pointee.message_init(pointer.assumingMemoryBound(to: ProtobufCMessage.self))
    return pointer.assumingMemoryBound(to: Message.self)
  }

  /// A C string with a copy of the text. A NUL, which would end it early, becomes the bytes C0 80. They are not valid
  /// UTF-8, so a receiver refuses the text instead of accepting a part of it.
  public func string(_ text: String) -> UnsafeMutablePointer<CChar> {
    var text = text
    return text.withUTF8 { utf8 in
      guard utf8.contains(0) else { return string(UnsafeRawBufferPointer(utf8)) }
      let spelled = utf8.flatMap { $0 == 0 ? [0xc0, 0x80] : [$0] }
      return spelled.withUnsafeBytes { string($0) }
    }
  }

  /// A C string with a copy of the bytes.
  public func string(_ text: UnsafeRawBufferPointer) -> UnsafeMutablePointer<CChar> {
    let copy = bytes(text.count + 1)
    if let source = text.baseAddress { copy.copyMemory(from: source, byteCount: text.count) }
    copy.storeBytes(of: 0, toByteOffset: text.count, as: UInt8.self)
    return copy.assumingMemoryBound(to: CChar.self)
  }

  /// A `bytes` field's value with a copy of the bytes.
  public func binary(_ source: UnsafeRawBufferPointer) -> ProtobufCBinaryData {
    let copy = bytes(source.count)
    if let start = source.baseAddress { copy.copyMemory(from: start, byteCount: source.count) }
    return ProtobufCBinaryData(len: source.count, data: copy.assumingMemoryBound(to: UInt8.self))
  }

  /// Room for an array, for a repeated field.
  public func array<Element>(_ type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
    bytes(MemoryLayout<Element>.stride * count).bindMemory(to: Element.self, capacity: count)
  }

  /// The pointers of a repeated message or string field.
  public func array<Element>(_ elements: [UnsafeMutablePointer<Element>])
    -> UnsafeMutablePointer<UnsafeMutablePointer<Element>?>
  {
    let start = array(UnsafeMutablePointer<Element>?.self, count: elements.count)
    for (index, element) in elements.enumerated() { (start + index).initialize(to: element) }
    return start
  }

  private func bytes(_ count: Int) -> UnsafeMutableRawPointer {
    // Outside of `unpack` there is no budget to run out of.
    allocate(count)!
  }
}
