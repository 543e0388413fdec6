// Memory for messages: unpacking stays in its budget, building does not run out, reset forgets.

import CInteropProto
import EchoService
import InteropRoutes
import TTRPC
import Testing

@Suite struct ArenaTests {
  @Test func unpackingPastTheBudgetFailsCleanly() {
    let arena = Arena()
    // Each two bytes of an empty repeated message cost a structure of more than a hundred.
    let greedy = (0..<4000).flatMap { _ in Field.bytes(5, []) }
    greedy.withUnsafeBytes { bytes in
      let error = #expect(throws: RPCError.self) { try arena.unpack(Ttrpc__Interop__Nesting.self, bytes) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.contains("ttrpc.interop.Nesting") == true)
    }
    // The arena serves on.
    arena.reset()
    Field.text(2, "after").withUnsafeBytes { bytes in
      let message = try? arena.unpack(Ttrpc__Interop__Nesting.self, bytes)
      #expect(message.map { String(cString: $0.pointee.text) } == "after")
    }
  }

  @Test func everyPayloadWithinItsBudgetUnpacks() throws {
    let arena = Arena()
    for byteCount in [0, 1, 1000, 1 << 20, 4 << 20] {
      arena.reset()
      let request = EchoMessage("x", payload: Array(repeating: 9, count: byteCount)).encoded
      try request.withUnsafeBytes { bytes in
        let message = try arena.unpack(EchoRequest.self, bytes)
        #expect(message.pointee.payload.len == byteCount)
      }
    }
  }

  @Test func theBudgetIsOfOneUnpackOnly() {
    let arena = Arena(chunkBytes: 64)
    let text = String(repeating: "x", count: 100_000)
    for _ in 0..<10 { #expect(String(cString: arena.string(text)).utf8.count == 100_000) }
  }

  @Test func mutatedMessagesUnpackOrAreRefused() {
    var random = SeededRandom(seed: 6)
    let arena = Arena()
    var unpacked = 0
    for _ in 0..<5_000 {
      arena.reset()
      let seed = EchoMessage("text", payload: random.bytes(20), failCode: 3, failMessage: "m").encoded
      random.mutated(seed).withUnsafeBytes { bytes in
        if (try? arena.unpack(EchoRequest.self, bytes)) != nil { unpacked += 1 }
      }
    }
    #expect((500...4_500).contains(unpacked), "\(unpacked) unpacked")
  }
}
