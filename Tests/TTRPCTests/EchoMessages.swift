// Echo's messages as the tests write them.

import EchoService
import TTRPC

/// A request that lives as long as this object.
final class EchoMessage {
  private let arena: Arena
  let pointer: UnsafePointer<EchoRequest>

  init(
    _ text: String = "", payload: [UInt8] = [], failCode: Int32 = 0, failMessage: String = "", sleepMillis: Int64 = 0
  ) {
    let arena = Arena(chunkBytes: 1024)
    self.arena = arena
    let message = arena.make(EchoRequest.self)
    message.pointee.text = arena.string(text)
    message.pointee.payload = payload.withUnsafeBytes { arena.binary($0) }
    message.pointee.fail_code = failCode
    message.pointee.fail_message = arena.string(failMessage)
    message.pointee.sleep_millis = sleepMillis
    pointer = UnsafePointer(message)
  }

  var encoded: [UInt8] { pointer.encoded() }
}

extension Received<EchoResponse> {
  var text: String { read { String(cString: $0.pointee.text) } }
  var payload: [UInt8] {
    read { [UInt8](UnsafeBufferPointer(start: $0.pointee.payload.data, count: $0.pointee.payload.len)) }
  }
  var metadata: [String] {
    read { reply in (0..<reply.pointee.n_metadata).map { String(cString: reply.pointee.metadata[$0]!) } }
  }
}

extension Client {
  func call(
    _ route: Route<EchoRequest, EchoResponse>, _ request: EchoMessage, timeout: Duration? = nil
  ) throws(RPCError) -> Received<EchoResponse> {
    defer { withExtendedLifetime(request) {} }
    return try call(route, request.pointer, timeout: timeout)
  }

  func start(_ route: Route<EchoRequest, EchoResponse>, _ request: EchoMessage) throws(RPCError)
    -> PendingCall<EchoResponse>
  {
    defer { withExtendedLifetime(request) {} }
    return try start(route, request.pointer)
  }

  func stream(
    _ route: Route<EchoRequest, EchoResponse>, _ request: EchoMessage? = nil, timeout: Duration? = nil
  ) throws(RPCError) -> ClientStream<EchoRequest, EchoResponse> {
    defer { withExtendedLifetime(request) {} }
    return try stream(route, request?.pointer, timeout: timeout)
  }
}

extension ClientStream where Request == EchoRequest {
  func send(_ request: EchoMessage) throws(RPCError) {
    defer { withExtendedLifetime(request) {} }
    try send(request.pointer)
  }
}
