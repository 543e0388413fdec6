// The frames that a server sends.

import CTTRPCProto

extension ServerSession {
  /// A response frame with a payload of `byteCount` bytes that `fill` writes.
  @inline(__always)
  func appendResponse(_ id: UInt32, _ byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    let length = byteCount == 0 ? 0 : WireWriter.fieldByteCount(byteCount)
    guard length <= Limits.frameBytesMax else { return appendError(id, Self.replyTooLarge(byteCount)) }
    let frame = output.append(FrameHeader.byteCount + length)
    FrameHeader(length: UInt32(length), stream: id, type: .response).write(to: frame)
    guard byteCount > 0 else { return }
    fill(WireWriter.writeFieldHeader(2, count: byteCount, to: frame + FrameHeader.byteCount))
  }

  /// A data frame with a message of `byteCount` bytes that `fill` writes.
  func appendData(_ id: UInt32, _ byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    let frame = output.append(FrameHeader.byteCount + byteCount)
    FrameHeader(length: UInt32(byteCount), stream: id, type: .data).write(to: frame)
    fill(frame + FrameHeader.byteCount)
  }

  /// The successful end of a stream that the server sent.
  func appendEnd(_ id: UInt32) {
    let frame = output.append(FrameHeader.byteCount)
    FrameHeader(length: 0, stream: id, type: .data, flags: [.remoteClosed, .noData]).write(to: frame)
  }

  /// A response frame with an error status.
  func appendError(_ id: UInt32, _ error: RPCError) { output.appendError(id, limits.detailed(error)) }

  static func replyTooLarge(_ byteCount: Int) -> RPCError {
    RPCError(
      .resourceExhausted,
      "the reply of \(byteCount) bytes exceeds the limit of \(Limits.frameBytesMax) (frameBytesMax): ask for less",
      limit: .init("frameBytesMax", maximum: Limits.frameBytesMax, actual: byteCount))
  }
}

extension SendBuffer {
  /// A response frame with an error status.
  mutating func appendError(_ id: UInt32, _ error: RPCError) {
    let arena = Arena(chunkBytes: 1024)
    let response = arena.make(Ttrpc__Response.self)
    response.pointee.status = arena.status(error)
    let message = UnsafePointer(response)
    let byteCount = message.packedByteCount
    let frame = append(FrameHeader.byteCount + byteCount)
    FrameHeader(length: UInt32(byteCount), stream: id, type: .response).write(to: frame)
    message.pack(to: frame + FrameHeader.byteCount)
  }
}

extension Arena {
  fileprivate func status(_ error: RPCError) -> UnsafeMutablePointer<Ttrpc__Status> {
    let status = make(Ttrpc__Status.self)
    status.pointee.code = error.code.rawValue
    status.pointee.message = string(error.message, bytesMax: RPCError.messageBytesMax)
    let detailBytes = error.details.reduce(0) { $0 + $1.typeURL.utf8.count + $1.value.count }
    let details = detailBytes <= RPCError.detailBytesMax ? error.details : []
    status.pointee.n_details = details.count
    status.pointee.details = array(
      details.map { detail in
        let any = make(Ttrpc__Any.self)
        any.pointee.type_url = string(detail.typeURL)
        any.pointee.value = detail.value.withUnsafeBytes { binary($0) }
        return any
      })
    return status
  }

  /// As much of the text as fits, without a part of a character at its end.
  private func string(_ text: String, bytesMax: Int) -> UnsafeMutablePointer<CChar> {
    var text = text
    return text.withUTF8 { utf8 in
      var count = min(utf8.count, bytesMax)
      while count > 0 && count < utf8.count && utf8[count] & 0xc0 == 0x80 { count -= 1 }
      return string(UnsafeRawBufferPointer(start: utf8.baseAddress, count: count))
    }
  }
}

extension RPCError {
  /// Names that callers sent stand in messages; an error must never be larger than a frame.
  static let messageBytesMax = 4096
  /// Details that are more than this in all are left out.
  static let detailBytesMax = 64 << 10
}
