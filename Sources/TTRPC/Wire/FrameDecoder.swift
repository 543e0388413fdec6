// Finds frames in received bytes. I/O-free; both ends of a connection use it.

/// What stands at the beginning of some received bytes.
package enum FrameDecoding: Equatable {
  /// The frame is not complete: it will take this many bytes, or at least this many while its header is not complete.
  case incomplete(byteCount: Int)
  /// A whole frame; its message starts behind the header.
  case frame(FrameHeader)
  /// The header states more than `Limits.frameBytesMax`. The connection cannot go on: what follows would have to be
  /// read to be thrown away.
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
