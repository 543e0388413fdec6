// The 10-byte header of every ttrpc message.
//
//   0        4        8      9      10
//   +--------+--------+------+------+----------------+
//   | length | stream | type | flags| length bytes … |
//   +--------+--------+------+------+----------------+
//     u32be    u32be    u8     u8
//
// Source: https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md

/// The type of a frame, with its number on the wire.
public struct FrameType: RawRepresentable, Equatable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let request = FrameType(rawValue: 1)
  public static let response = FrameType(rawValue: 2)
  public static let data = FrameType(rawValue: 3)
  /// twind's extension: cancels the call with this id. Other peers ignore it.
  public static let cancel = FrameType(rawValue: 0x10)
}

/// The flags of a frame.
public struct FrameFlags: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The sender sends no more data on this stream.
  public static let remoteClosed = FrameFlags(rawValue: 1)
  /// The sender will send more data on this stream.
  public static let remoteOpen = FrameFlags(rawValue: 2)
  /// The frame has no message. Without this flag an empty frame has an empty message.
  public static let noData = FrameFlags(rawValue: 4)
}

/// A frame's header.
public struct FrameHeader: Equatable, Sendable {
  public static let byteCount = 10

  public var length: UInt32
  public var stream: UInt32
  public var type: FrameType
  public var flags: FrameFlags

  public init(length: UInt32, stream: UInt32, type: FrameType, flags: FrameFlags = []) {
    self.length = length
    self.stream = stream
    self.type = type
    self.flags = flags
  }

  /// Reads ten bytes.
  @inline(__always)
  package init(_ bytes: UnsafeRawPointer) {
    length = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
    stream = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    type = FrameType(rawValue: bytes.load(fromByteOffset: 8, as: UInt8.self))
    flags = FrameFlags(rawValue: bytes.load(fromByteOffset: 9, as: UInt8.self))
  }

  /// Writes ten bytes.
  @inline(__always)
  package func write(to bytes: UnsafeMutableRawPointer) {
    bytes.storeBytes(of: length.bigEndian, as: UInt32.self)
    bytes.storeBytes(of: stream.bigEndian, toByteOffset: 4, as: UInt32.self)
    bytes.storeBytes(of: type.rawValue, toByteOffset: 8, as: UInt8.self)
    bytes.storeBytes(of: flags.rawValue, toByteOffset: 9, as: UInt8.self)
  }
}
