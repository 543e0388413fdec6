// One connection's calls from frame to frame: what is answered, what ends, what goes on.

import EchoService
import InteropRoutes
import TTRPC
import Testing

@Suite struct ServerSessionTests {
  @Test func aCallComesInAnyPieces() {
    let bytes = Frame.request(1, "Echo", EchoMessage("hello").encoded).bytes
    for split in 0..<bytes.count {
      let harness = SessionHarness.echo()
      #expect(harness.receive(Array(bytes.prefix(split))) == 0)
      #expect(harness.receive(bytes) == bytes.count)
      #expect(harness.output().map(\.text) == ["hello"])
    }
  }

  @Test func unknownNamesAreUnimplementedAndNameWhatThereIs() {
    let answers = SessionHarness.echo().exchange(
      .request(1, "Missing"), .request(3, "Echo", service: "ttrpc.interop.Missing"), .request(5, "", service: ""))
    #expect(answers.map(\.code) == [.unimplemented, .unimplemented, .unimplemented])
    #expect(answers[0].error?.message.contains("Missing: it has Collect, Count, Echo") == true)
    #expect(answers[1].error?.message.contains("this server has ttrpc.interop.Echo") == true)
  }

  @Test func emptyRepliesAreFramesWithoutBytes() {
    #expect(SessionHarness.echo().exchange(.request(1, "Empty")) == [Frame(stream: 1, type: .response)])
  }

  @Test func flagsThatDoNotFitTheMethodAreRefusedOnTheirStream() {
    let harness = SessionHarness.echo()
    let answers = harness.exchange(
      .request(1, "Echo", flags: .remoteOpen), .request(3, "Count"), .request(5, "EchoStream"),
      .request(7, "Echo", EchoMessage("next").encoded))
    #expect(answers.map(\.code) == [.invalidArgument, .invalidArgument, .invalidArgument, .ok])
    #expect(answers.map(\.stream) == [1, 3, 5, 7])
    #expect(harness.session.streamCount == 0)
  }

  @Test func aRequestWithoutPayloadIsAnEmptyMessageToAServerStreamOnly() {
    let harness = SessionHarness.echo()
    // Count fails on an empty text, which shows that the message came.
    #expect(harness.exchange(.request(1, "Count", flags: .remoteClosed)).map(\.code) == [.invalidArgument])
    // The other shapes' messages follow in data frames.
    #expect(harness.exchange(.request(3, "EchoStream", flags: .remoteOpen)) == [])
    #expect(harness.exchange(.end(3)) == [.end(3)])
    #expect(harness.exchange(.request(5, "Collect", flags: .remoteClosed)) == [Frame(stream: 5, type: .response)])
  }

  @Test func aRequestMayCarryTheFirstMessage() {
    let harness = SessionHarness.echo()
    let answers = harness.exchange(
      .request(1, "EchoStream", EchoMessage("a").encoded, flags: .remoteOpen), .data(1, EchoMessage("b").encoded),
      .data(1, EchoMessage("c").encoded, flags: .remoteClosed))
    #expect(answers.map(\.text) == ["a", "b", "c", ""])
    #expect(answers.last == .end(1))
    #expect(harness.session.streamCount == 0)
  }

  @Test func collectJoinsAndAnswersOnce() {
    let answers = SessionHarness.echo().exchange(
      .request(1, "Collect", flags: .remoteOpen), .data(1, EchoMessage("a").encoded), .data(1),
      .data(1, EchoMessage("b").encoded), .end(1))
    #expect(answers.map(\.text) == ["ab"])
  }

  @Test func dataAfterTheEndFailsTheCallAndLaterDataIsDropped() {
    let harness = SessionHarness.echo()
    harness.exchange(.request(1, "Sleep", EchoMessage(sleepMillis: 60_000).encoded))
    #expect(harness.session.streamCount == 1)
    #expect(harness.exchange(.data(1, [1])).map(\.code) == [.invalidArgument])
    #expect(harness.session.streamCount == 0)
    #expect(harness.exchange(.data(1, [1]), .cancel(1), .end(1)) == [])
    #expect(harness.exchange(.data(3)).map(\.code) == [.invalidArgument])
  }

  @Test func aBadMessageEndsItsStreamAlone() {
    let harness = SessionHarness.echo()
    harness.exchange(.request(1, "EchoStream", flags: .remoteOpen), .request(3, "EchoStream", flags: .remoteOpen))
    #expect(harness.exchange(.data(1, [0x0a, 0x01, 0xff])).map(\.code) == [.invalidArgument])
    #expect(harness.exchange(.data(3, EchoMessage("on").encoded)).map(\.text) == ["on"])
    #expect(harness.session.streamCount == 1)
  }

  @Test func anOversizedFrameIsAnsweredAndEndsTheConnection() {
    for length: [UInt8] in [[0x00, 0x40, 0x00, 0x01], [0x01, 0, 0, 0], [0xff, 0xff, 0xff, 0xff]] {
      let harness = SessionHarness.echo()
      let frame = length + [0, 0, 0, 1, 1, 0]
      #expect(harness.receive(frame) == frame.count)
      let answers = harness.output()
      #expect(answers.map(\.code) == [.resourceExhausted])
      #expect(answers[0].stream == 1)
      #expect(harness.session.isClosing)
      #expect(harness.exchange(.request(3, "Echo")) == [])
    }
  }

  @Test func anOversizedReplyFailsItsCallAlone() {
    var router = Router()
    router.unary(EchoRoutes.echo) { (_, call) throws(RPCError) in
      call.reply(byteCount: 4 << 20) { $0.initializeMemory(as: UInt8.self, repeating: 0, count: 4 << 20) }
    }
    router.stream(EchoRoutes.count) { (call) throws(RPCError) in
      call.send(byteCount: (4 << 20) + 1) { _ in Issue.record("an oversized message was asked for") }
    }
    let harness = SessionHarness(router)
    let answers = harness.exchange(.request(1, "Echo"), .request(3, "Count", flags: .remoteClosed), .request(5, "Echo"))
    #expect(answers.map(\.code) == [.resourceExhausted, .resourceExhausted, .resourceExhausted])
    #expect(!harness.session.isClosing)
    #expect(harness.session.streamCount == 0)
  }

  @Test func anErrorAlwaysFitsAFrame() {
    // Error messages name what the client sent. One character may be any number of bytes.
    let name = "e" + String(repeating: "\u{301}", count: (4 << 19) - 100)
    let answers = SessionHarness.echo().exchange(.request(1, name))
    #expect(answers.map(\.code) == [.unimplemented])
    #expect(answers[0].message.count < 5000)

    var router = Router()
    let detail = RPCError.Detail(typeURL: "type.googleapis.com/x", value: Array(repeating: 0, count: 5 << 20))
    router.unary(EchoRoutes.echo) { (_, _) throws(RPCError) in throw RPCError(.aborted, "why", details: [detail]) }
    let answer = SessionHarness(router).exchange(.request(1, "Echo"))[0]
    #expect(answer.error?.message == "why")
    #expect(answer.message.count < 4096)
  }

  @Test func theStreamPastTheLimitIsRefusedUntilOneEnds() {
    let harness = SessionHarness.echo()
    for index: UInt32 in 0..<128 {
      #expect(harness.exchange(.request(2 * index + 1, "EchoStream", flags: .remoteOpen)) == [])
    }
    let answer = harness.exchange(.request(257, "EchoStream", flags: .remoteOpen))[0]
    #expect(answer.code == .resourceExhausted)
    #expect(answer.error?.message.contains("streamsPerConnectionMax") == true)
    harness.exchange(.cancel(255))
    #expect(harness.exchange(.request(259, "EchoStream", flags: .remoteOpen)) == [])
  }

  @Test func aRequestOverItsRoutesLimitIsRefused() {
    var router = Router()
    router.unary(
      Route<EchoRequest, EchoResponse>(service: "s", method: "Small", shape: .unary, requestBytesMax: 10)
    ) { (_, call) throws(RPCError) in call.reply(byteCount: 0) { _ in } }
    let harness = SessionHarness(router)
    let small = Field.text(1, "12345678")
    let answers = harness.exchange(
      .request(1, "Small", small, service: "s"), .request(3, "Small", small + [0x18, 0], service: "s"))
    #expect(answers.map(\.code) == [.ok, .resourceExhausted])
    #expect(answers[1].error?.message.contains("requestBytesMax") == true)
  }

  @Test func drainingEndsStreamsLetsUnaryCallsFinishAndRefusesNewOnes() {
    let harness = SessionHarness.echo()
    harness.exchange(
      .request(1, "EchoStream", flags: .remoteOpen), .request(3, "Sleep", EchoMessage("slept", sleepMillis: 1).encoded))
    harness.session.drain()
    #expect(harness.output().map(\.code) == [.unavailable])
    #expect(harness.exchange(.request(5, "Echo")).map(\.code) == [.unavailable])
    var answers: [Frame] = []
    while answers.isEmpty {
      harness.runJobs()
      answers = harness.output()
    }
    #expect(answers.map(\.text) == ["slept"])
  }

  @Test func streamsShareTheOutput() {
    // Two streams that never end of themselves: each must get its turn.
    var router = Router()
    router.stream(EchoRoutes.echoStream) { (call) throws(RPCError) in
      call.onWritable = { (call) in
        while call.isWritable {
          call.send(byteCount: 1000) { $0.initializeMemory(as: UInt8.self, repeating: 0, count: 1000) }
        }
      }
    }
    let harness = SessionHarness(router)
    harness.exchange(.request(1, "EchoStream", flags: .remoteOpen), .request(3, "EchoStream", flags: .remoteOpen))
    var sent: [UInt32: Int] = [:]
    for _ in 0..<6 {
      harness.session.produce()
      for frame in harness.output() { sent[frame.stream, default: 0] += 1 }
    }
    #expect(sent[1] == sent[3], "\(sent)")
  }

  /// Streams whose output is made elsewhere: no more of them begin than there is room for, and an end gives room back.
  @Test func reservedRoomIsNotGivenTwice() {
    nonisolated(unsafe) var waiting: [ServerCall] = []
    var router = Router()
    router.stream(EchoRoutes.echoStream) { (call) throws(RPCError) in
      call.onWritable = { (call) in
        guard call.isWritable, call.keptRoomBytes == 0 else { return }
        call.keepRoom(byteCount: 256 << 10)
        waiting.append(call)
      }
    }
    let harness = SessionHarness(router)
    for stream in stride(from: UInt32(1), through: 39, by: 2) {
      harness.exchange(.request(stream, "EchoStream", flags: .remoteOpen))
    }
    for _ in 0..<4 { harness.session.produce() }
    #expect(waiting.count == 3)
    harness.exchange(.cancel(1))
    harness.session.produce()
    #expect(waiting.count == 4 && waiting[0].keptRoomBytes == 0)
    waiting[1].giveRoomBack()
    harness.session.produce()
    #expect(waiting.count == 5)
  }
}
