// Finds frames in received bytes. Does no I/O; used by clients and servers.

/// The frame at the beginning of received bytes.
package enum FrameDecoding: Equatable {
  /// The frame is incomplete: it needs this many bytes, or at least this many if its header is incomplete.
  case incomplete(byteCount: Int)
  /// A complete frame. Its message follows the header.
  case frame(FrameHeader)
  /// The length exceeds `Limits.frameBytesMax`. The connection cannot continue, since the frame would have to be read
  /// only to be discarded.
  case tooLong(FrameHeader)

  @inline(__always)
  package static func decode(_ bytes: UnsafeRawBufferPointer) -> FrameDecoding {
    guard let start = bytes.baseAddress, bytes.count >= FrameHeader.byteCount else {
      return .incomplete(byteCount: FrameHeader.byteCount)
    }
    let header = FrameHeader(start)
    guard header.length <= Limits.frameBytesMax else { return .tooLong(header) }
    let byteCount = FrameHeader.byteCount + Int(header.length)
    return bytes.count < byteCount ? .incomplete(byteCount: byteCount) : .frame(header)
  }
}
