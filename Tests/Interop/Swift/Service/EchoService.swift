// The Echo service of echo.proto on our server: what the interop stage, the unit tests and the fuzz driver call.

import CInteropProto
import CLinux
import Glibc
import InteropRoutes
import TTRPC
import Threads

public typealias EchoRequest = Ttrpc__Interop__EchoRequest
public typealias EchoResponse = Ttrpc__Interop__EchoResponse

extension Router {
  /// Serves all methods of Echo.
  public mutating func serveEcho() {
    unary(EchoRoutes.echo) { (request, call) throws(RPCError) in echo(request, call) }
    unary(EchoRoutes.fail) { (request, _) throws(RPCError) in try fail(request) }
    unary(EchoRoutes.sleep) { (request, call) throws(RPCError) in sleep(request, call) }
    unary(EchoRoutes.empty) { (_, call) throws(RPCError) in call.reply(byteCount: 0) { _ in } }
    stream(EchoRoutes.echoStream) { (call) throws(RPCError) in echoStream(call) }
    stream(EchoRoutes.count) { (call) throws(RPCError) in count(call) }
    stream(EchoRoutes.collect) { (call) throws(RPCError) in collect(call) }
  }
}

private func echo(_ request: UnsafePointer<EchoRequest>, _ call: borrowing UnaryCall) {
  let arena = call.arena
  let response = arena.make(EchoResponse.self)
  response.pointee.text = request.pointee.text
  response.pointee.payload = request.pointee.payload
  let pairs = call.metadata.all.map { arena.string("\($0.key)=\($0.value)") }
  response.pointee.n_metadata = pairs.count
  response.pointee.metadata = arena.array(pairs)
  if call.deadlineNanos != .max {
    response.pointee.timeout_nano = Int64(clamping: call.deadlineNanos) - Int64(clamping: twind_monotonic_nanos())
  }
  call.reply(response)
}

private func fail(_ request: UnsafePointer<EchoRequest>) throws(RPCError) {
  let number = request.pointee.fail_code
  guard let code = StatusCode(rawValue: number), code != .ok else {
    throw RPCError(.invalidArgument, "fail_code is \(number): use 1 to 16")
  }
  throw RPCError(code, String(cString: request.pointee.fail_message))
}

private func sleep(_ request: UnsafePointer<EchoRequest>, _ call: borrowing UnaryCall) {
  let text = String(cString: request.pointee.text)
  let millis = request.pointee.sleep_millis
  let later = call.deferred()
  let nap = Nap()
  later.onCancelled = { nap.end() }
  Thread.detached(name: "echo-sleep") {
    if nap.sleep(millis: millis) { later.complete(.success(encoded(text: text))) }
  }
}

/// A sleep that another thread can end.
private final class Nap: @unchecked Sendable {
  private let lock = Lock()
  private let news: Condition
  private var isOver = false

  init() { news = Condition(lock) }

  /// At most an hour. False when it was ended early.
  func sleep(millis: Int64) -> Bool {
    let end = twind_monotonic_nanos() + UInt64(min(max(millis, 0), 3_600_000)) * 1_000_000
    return lock.withLock {
      while !isOver && twind_monotonic_nanos() < end { news.wait(until: end) }
      return !isOver
    }
  }

  func end() {
    lock.withLock {
      isOver = true
      news.broadcast()
    }
  }
}

private func encoded(text: String) -> [UInt8] {
  let arena = Arena(chunkBytes: 1024)
  let response = arena.make(EchoResponse.self)
  response.pointee.text = arena.string(text)
  return response.encoded()
}

private func echoStream(_ call: ServerCall) {
  call.onMessage = { (call, bytes) throws(RPCError) in
    let request = try call.unpack(EchoRequest.self, bytes)
    let arena = Arena(chunkBytes: 256)
    let response = arena.make(EchoResponse.self)
    response.pointee.text = request.pointee.text
    response.pointee.payload = request.pointee.payload
    call.send(response)
  }
  call.onRemoteClosed = { $0.finish() }
}

/// Sends while the connection takes more, and goes on when it takes more again.
private func count(_ call: ServerCall) {
  call.onMessage = { (call, bytes) throws(RPCError) in
    let text = String(cString: try call.unpack(EchoRequest.self, bytes).pointee.text)
    guard let total = UInt64(text) else { throw RPCError(.invalidArgument, "text is no number: \(text)") }
    var sent: UInt64 = 0
    func go() {
      while sent < total && call.isWritable && !call.isEnded {
        sent += 1
        let bytes = encoded(text: String(sent))
        call.send(byteCount: bytes.count) { $0.copyMemory(from: bytes, byteCount: bytes.count) }
      }
      if sent == total { call.finish() }
    }
    call.onWritable = { _ in go() }
    go()
  }
}

private func collect(_ call: ServerCall) {
  var text = ""
  var payload: [UInt8] = []
  call.onMessage = { (call, bytes) throws(RPCError) in
    let request = try call.unpack(EchoRequest.self, bytes)
    text += String(cString: request.pointee.text)
    payload += UnsafeBufferPointer(start: request.pointee.payload.data, count: request.pointee.payload.len)
  }
  call.onRemoteClosed = { (call) in
    let arena = Arena(chunkBytes: 1024)
    let response = arena.make(EchoResponse.self)
    response.pointee.text = arena.string(text)
    response.pointee.payload = payload.withUnsafeBytes { arena.binary($0) }
    call.reply(response)
  }
}
