// Frames found in received bytes, wherever the bytes were cut.

import TTRPC
import Testing

@Suite struct FrameDecoderTests {
  private static let header = FrameHeader(length: 5, stream: 7, type: .data, flags: [.remoteClosed, .noData])

  private static func frame(_ header: FrameHeader, _ message: [UInt8] = []) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
    return bytes + message
  }

  private static func decode(_ bytes: [UInt8]) -> FrameDecoding { bytes.withUnsafeBytes { FrameDecoding.decode($0) } }

  @Test func aHeaderIsTenBytesInNetworkOrder() {
    let header = FrameHeader(length: 0x0001_0203, stream: 0x0405_0607, type: .response, flags: .remoteOpen)
    let bytes = Self.frame(header)
    #expect(bytes == [0, 1, 2, 3, 4, 5, 6, 7, 2, 2])
    #expect(bytes.withUnsafeBytes { FrameHeader($0.baseAddress!) } == header)
  }

  @Test func everySplitIsIncompleteUntilTheLastByte() {
    let bytes = Self.frame(Self.header, [1, 2, 3, 4, 5])
    for count in 0..<FrameHeader.byteCount {
      #expect(Self.decode(Array(bytes.prefix(count))) == .incomplete(byteCount: 10), "\(count) bytes")
    }
    for count in FrameHeader.byteCount..<bytes.count {
      #expect(Self.decode(Array(bytes.prefix(count))) == .incomplete(byteCount: 15), "\(count) bytes")
    }
    #expect(Self.decode(bytes) == .frame(Self.header))
    #expect(Self.decode(bytes + [0xff]) == .frame(Self.header))
  }

  @Test func anEmptyFrameIsWhole() {
    let header = FrameHeader(length: 0, stream: 1, type: .response)
    #expect(Self.decode(Self.frame(header)) == .frame(header))
  }

  @Test(arguments: [0x0040_0001, 0x0100_0000, 0xff00_0000, 0xffff_ffff] as [UInt32])
  func aLengthOverTheLimitIsKnownFromTheHeaderAlone(_ length: UInt32) {
    let header = FrameHeader(length: length, stream: 3, type: .request)
    #expect(Self.decode(Self.frame(header)) == .tooLong(header))
  }

  @Test func theLargestLengthIsAllowed() {
    let header = FrameHeader(length: 4 << 20, stream: 3, type: .request)
    #expect(Self.decode(Self.frame(header)) == .incomplete(byteCount: 10 + (4 << 20)))
  }
}
