// The four shapes of calls, in process and over a socket.

import EchoService
import InteropRoutes
import TTRPC
import Testing

@Suite struct StreamingTests {
  private static func collect(_ stream: ClientStream<EchoRequest, EchoResponse>) throws -> [String] {
    var texts: [String] = []
    while let message = try stream.next() { texts.append(message.text) }
    return texts
  }

  @Test(arguments: Carrier.allCases)
  func unary(_ carrier: Carrier) throws {
    var options = Client.Options()
    options.metadata = [("agent", "billing"), ("Trace", "b"), ("Trace", "a")]
    let connected = try carrier.connect(options: options)
    let payload = (0..<300_000).map { UInt8($0 % 251) }
    let reply = try connected.client.call(
      EchoRoutes.echo, EchoMessage("Grüße", payload: payload), timeout: .seconds(30))
    #expect(reply.text == "Grüße")
    #expect(reply.payload == payload)
    #expect(reply.metadata == ["agent=billing", "Trace=b", "Trace=a"])
    #expect((25_000_000_000...30_000_000_000).contains(reply.read { $0.pointee.timeout_nano }))
    let error = #expect(throws: RPCError.self) {
      try connected.client.call(EchoRoutes.fail, EchoMessage(failCode: 10, failMessage: "stale"))
    }
    #expect(error == RPCError(.aborted, "stale"))
  }

  @Test(arguments: Carrier.allCases)
  func serverStream(_ carrier: Carrier) throws {
    let connected = try carrier.connect()
    let texts = try Self.collect(connected.client.stream(EchoRoutes.count, EchoMessage("5000")))
    #expect(texts == (1...5000).map(String.init))
    #expect(try Self.collect(connected.client.stream(EchoRoutes.count, EchoMessage("0"))) == [])
    let failing = try connected.client.stream(EchoRoutes.count, EchoMessage("many"))
    let error = #expect(throws: RPCError.self) { try failing.next() }
    #expect(error?.code == .invalidArgument)
  }

  @Test(arguments: Carrier.allCases)
  func clientStream(_ carrier: Carrier) throws {
    let connected = try carrier.connect()
    let stream = try connected.client.stream(EchoRoutes.collect)
    for index in 0..<1000 { try stream.send(EchoMessage("\(index),")) }
    stream.closeSending()
    #expect(try stream.response().text == (0..<1000).map { "\($0)," }.joined())
    let error = #expect(throws: RPCError.self) { try stream.send(EchoMessage("late")) }
    #expect(error?.code == .failedPrecondition)
  }

  @Test(arguments: Carrier.allCases)
  func bidirectionalStream(_ carrier: Carrier) throws {
    let connected = try carrier.connect()
    let stream = try connected.client.stream(EchoRoutes.echoStream)
    for index in 0..<500 {
      try stream.send(EchoMessage("\(index)"))
      #expect(try stream.next()?.text == "\(index)")
    }
    // Many on their way at once, in both directions.
    for index in 0..<500 { try stream.send(EchoMessage("\(index)", payload: [UInt8](repeating: 1, count: 2000))) }
    stream.closeSending()
    #expect(try Self.collect(stream) == (0..<500).map(String.init))
    #expect(try stream.next() == nil)
  }

  @Test(arguments: Carrier.allCases)
  func aSenderLearnsWhyItsCallEnded(_ carrier: Carrier) throws {
    var limits = Limits()
    limits.streamsPerConnectionMax = 1
    let connected = try carrier.connect(limits: limits)
    let first = try connected.client.stream(EchoRoutes.echoStream)
    let second = try connected.client.stream(EchoRoutes.echoStream)
    let received = #expect(throws: RPCError.self) { try second.next() }
    #expect(received?.code == .resourceExhausted)
    let sent = #expect(throws: RPCError.self) { try second.send(EchoMessage()) }
    #expect(sent == received)
    try first.send(EchoMessage("fine"))
    #expect(try first.next()?.text == "fine")
  }

  @Test(arguments: Carrier.allCases)
  func deadlinesAndCancels(_ carrier: Carrier) throws {
    let connected = try carrier.connect()
    for timeout: Duration in [.milliseconds(100), .zero, .seconds(-1)] {
      let took = seconds {
        let error = #expect(throws: RPCError.self) {
          try connected.client.call(EchoRoutes.sleep, EchoMessage(sleepMillis: 60_000), timeout: timeout)
        }
        #expect(error?.code == .deadlineExceeded)
      }
      #expect(took < 3)
    }
    let stream = try connected.client.stream(EchoRoutes.echoStream, timeout: .milliseconds(100))
    let expired = #expect(throws: RPCError.self) { try stream.next() }
    #expect(expired?.code == .deadlineExceeded)

    let cancelled = try connected.client.stream(EchoRoutes.echoStream)
    cancelled.cancel()
    let error = #expect(throws: RPCError.self) { try cancelled.next() }
    #expect(error?.code == .cancelled)
    #expect(try connected.client.call(EchoRoutes.echo, EchoMessage("on")).text == "on")
  }

  @Test(arguments: Carrier.allCases)
  func tenThousandCallsInFlight(_ carrier: Carrier) throws {
    // Requests and replies are each far more than sockets and limits hold: neither side may wait for the other.
    var limits = Limits()
    limits.sendBytesPerConnectionMax = 16 << 10
    let connected = try carrier.connect(limits: limits)
    let payload = [UInt8](repeating: 5, count: 1000)
    let pending = try (0..<10_000).map {
      try connected.client.start(EchoRoutes.echo, EchoMessage("\($0)", payload: payload))
    }
    connected.client.flush()
    for (index, call) in pending.enumerated() {
      let reply = try call.wait()
      try #require(reply.text == "\(index)")
    }
  }
}
