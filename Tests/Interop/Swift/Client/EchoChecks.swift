// What is checked of a server of echo.proto.

import EchoService
import InteropRoutes
import TTRPC

/// A check that does not hold.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String
}

struct EchoCheck {
  let name: String
  var isStreaming = false
  var isKnownFault = false
  let run: () throws -> Void
}

/// The checks, all on one connection.
struct EchoChecks {
  private let client: Client

  init(_ client: Client) { self.client = client }

  var all: [EchoCheck] {
    [
      EchoCheck(name: "success") { try success() },
      EchoCheck(name: "error status") { try errorStatus() },
      EchoCheck(name: "empty reply") { _ = try call(EchoRoutes.empty) { _, _ in } },
      EchoCheck(name: "deadline") { try deadline() },
      EchoCheck(name: "metadata") { try metadata() },
      EchoCheck(name: "1 MiB payload") { try largePayload() },
      EchoCheck(name: "64 concurrent calls") { try concurrentCalls() },
      EchoCheck(name: "1,000 calls one after the other") {
        for index in 0..<1000 { try expect(echo("\(index)") == "\(index)", "call \(index) got another's reply") }
      },
      EchoCheck(name: "unknown method", isKnownFault: true) { try unknownMethod() },
      EchoCheck(name: "bidirectional stream", isStreaming: true) { try bidirectional() },
      EchoCheck(name: "server stream", isStreaming: true) { try serverStream() },
      EchoCheck(name: "client stream", isStreaming: true) { try clientStream() },
    ]
  }

  private func success() throws { try expect(echo("näive") == "näive", "another text came back") }

  private func errorStatus() throws {
    let error = failure {
      _ = try call(EchoRoutes.fail) { arena, request in
        request.pointee.fail_code = 9
        request.pointee.fail_message = arena.string("nicht so “schnell”")
      }
    }
    try expect(error == RPCError(.failedPrecondition, "nicht so “schnell”"), "\(String(describing: error))")
  }

  private func deadline() throws {
    let clock = ContinuousClock()
    let began = clock.now
    let error = failure {
      _ = try call(EchoRoutes.sleep, timeout: .milliseconds(100)) { _, request in
        request.pointee.sleep_millis = 5000
      }
    }
    try expect(error?.code == .deadlineExceeded, "\(String(describing: error))")
    try expect(clock.now - began < .seconds(2), "it took \(clock.now - began)")
  }

  private func metadata() throws {
    let reply = try call(EchoRoutes.echo) { _, _ in }
    let pairs = reply.read { reply in
      (0..<reply.pointee.n_metadata).map { String(cString: reply.pointee.metadata[$0]!) }
    }
    try expect(pairs.contains("agent=billing"), "\(pairs)")
    try expect(pairs.filter { $0.hasPrefix("trace=") } == ["trace=1", "trace=2"], "\(pairs)")
  }

  private func largePayload() throws {
    let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let reply = try call(EchoRoutes.echo) { arena, request in
      request.pointee.payload = bytes.withUnsafeBytes { arena.binary($0) }
    }
    let payload = reply.read { reply in
      [UInt8](UnsafeBufferPointer(start: reply.pointee.payload.data, count: reply.pointee.payload.len))
    }
    try expect(payload == bytes, "other bytes came back")
  }

  private func concurrentCalls() throws {
    let arena = Arena()
    var pending: [PendingCall<EchoResponse>] = []
    for index in 0..<64 {
      let request = arena.make(EchoRequest.self)
      request.pointee.text = arena.string("call \(index)")
      request.pointee.sleep_millis = Int64(64 - index)
      pending.append(try client.start(EchoRoutes.sleep, UnsafePointer(request), timeout: .seconds(10)))
    }
    client.flush()
    for (index, call) in pending.enumerated() {
      try expect(call.wait().text == "call \(index)", "call \(index)")
    }
  }

  private func unknownMethod() throws {
    let missing = Route<EchoRequest, EchoResponse>(
      service: "ttrpc.interop.Echo", method: "Missing", shape: .unary, requestBytesMax: 1024)
    let error = failure { _ = try call(missing) { _, _ in } }
    try expect(error?.code == .unimplemented, "\(String(describing: error))")
  }

  private func bidirectional() throws {
    let stream = try client.stream(EchoRoutes.echoStream, timeout: .seconds(10))
    for text in ["one", "two", ""] {
      try message(text) { try stream.send($0) }
      try expect(stream.next()?.text == text, "not \(text)")
    }
    stream.closeSending()
    try expect(stream.next() == nil, "the stream goes on")
  }

  private func serverStream() throws {
    let stream = try message("500") { try client.stream(EchoRoutes.count, $0, timeout: .seconds(10)) }
    for index in 1...500 {
      try expect(stream.next()?.text == "\(index)", "not \(index)")
    }
    try expect(stream.next() == nil, "the stream goes on")
  }

  private func clientStream() throws {
    let stream = try client.stream(EchoRoutes.collect, timeout: .seconds(10))
    for text in ["a", "b", "c"] { try message(text) { try stream.send($0) } }
    stream.closeSending()
    try expect(stream.response().text == "abc", "another text came back")
  }

  // MARK: Calls

  private func echo(_ text: String) throws -> String {
    let reply = try call(EchoRoutes.echo) { arena, request in request.pointee.text = arena.string(text) }
    return reply.text
  }

  private func call(
    _ route: Route<EchoRequest, EchoResponse>, timeout: Duration = .seconds(10),
    _ build: (Arena, UnsafeMutablePointer<EchoRequest>) -> Void
  ) throws -> Received<EchoResponse> {
    let arena = Arena()
    let request = arena.make(EchoRequest.self)
    build(arena, request)
    return try client.call(route, UnsafePointer(request), timeout: timeout)
  }

  private func message<Result>(_ text: String, _ body: (UnsafePointer<EchoRequest>) throws -> Result) throws -> Result {
    let arena = Arena()
    let request = arena.make(EchoRequest.self)
    request.pointee.text = arena.string(text)
    return try body(UnsafePointer(request))
  }

  private func failure(_ body: () throws -> Void) -> RPCError? {
    do {
      try body()
      return nil
    } catch {
      return error as? RPCError
    }
  }

  private func expect(_ holds: @autoclosure () throws -> Bool, _ otherwise: @autoclosure () -> String) throws {
    guard try holds() else { throw CheckFailure(description: otherwise()) }
  }
}

extension Received<EchoResponse> {
  fileprivate var text: String { read { String(cString: $0.pointee.text) } }
}
