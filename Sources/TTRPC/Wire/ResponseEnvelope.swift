// Parses the response envelope: the status with protobuf-c, the payload as a range of the receive buffer.

import CTTRPCProto

/// A view into a response frame. Valid as long as the frame's bytes.
package struct ResponseEnvelope {
  package private(set) var payload = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The status, unless it is success.
  package private(set) var error: RPCError?

  /// Throws INTERNAL if the bytes are not a Response.
  package init(_ bytes: UnsafeRawBufferPointer) throws(RPCError) {
    var reader = WireReader(bytes)
    var hasStatus = false
    while !reader.isAtEnd {
      guard let field = reader.next() else { throw Self.malformed }
      guard field.number == 1 || field.number == 2 else { continue }
      guard field.type == WireType.lengthDelimited else { throw Self.malformed }
      if field.number == 2 {
        payload = field.value
      } else {
        // No serialiser writes two, and readers differ in what they make of them.
        guard !hasStatus else { throw Self.malformed }
        hasStatus = true
        error = try Self.error(field.value)
      }
    }
  }

  private static func error(_ bytes: UnsafeRawBufferPointer) throws(RPCError) -> RPCError? {
    let arena = Arena(chunkBytes: 1024)
    guard let status = try? arena.unpack(Ttrpc__Status.self, bytes).pointee else { throw malformed }
    if status.code == 0 { return nil }
    let details = (0..<status.n_details).map { index in
      let any = status.details[index]!.pointee
      return RPCError.Detail(
        typeURL: String(cString: any.type_url),
        value: [UInt8](UnsafeBufferPointer(start: any.value.data, count: any.value.len)))
    }
    return RPCError(StatusCode(rawValue: status.code) ?? .unknown, String(cString: status.message), details: details)
  }

  private static let malformed = RPCError(
    .internal, "the server's frame is not a ttrpc.Response: it is not a ttrpc server, or is broken")
}
