// Replies to clients that speak another protocol, in that protocol. Most are gRPC clients, which have the same services
// and the same kind of socket.

/// A protocol other than ttrpc, recognised by a connection's first bytes.
package enum ForeignProtocol: Equatable {
  /// gRPC.
  case http2
  case http1

  package static let sentence =
    "this socket speaks ttrpc, not gRPC or HTTP: use a ttrpc client, see https://github.com/containerd/ttrpc"

  private static let requests = ["GET ", "PUT ", "HEAD ", "POST ", "PATCH ", "DELETE ", "CONNECT ", "OPTIONS "]

  /// nil if the bytes can be ttrpc. Other protocols would be a header of a frame above 4 MiB.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: "PRI * HTTP".utf8) {
      self = .http2
    } else if Self.requests.contains(where: { bytes.starts(with: $0.utf8) }) {
      self = .http1
    } else {
      return nil
    }
  }

  /// A reply that the client shows to its user.
  package var answer: [UInt8] {
    switch self {
    case .http1:
      let body = Self.sentence + "\n"
      return Array(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
          .utf8)
    case .http2:
      // SETTINGS, which must come first; then GOAWAY: last stream 0, PROTOCOL_ERROR, and text for people (RFC 9113,
      // 6.8).
      return Self.frame(type: 4, []) + Self.frame(type: 7, [0, 0, 0, 0, 0, 0, 0, 1] + Array(Self.sentence.utf8))
    }
  }

  private static func frame(type: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type, 0, 0, 0, 0, 0]
      + payload
  }
}
