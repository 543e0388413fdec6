import CTwindProto
import TTRPC
import Testing
import TwinClient
import TwinRoutes

/// TwinClient's lists of facts against a server that withholds, or ends too early.
@Suite struct FactStreamTests {
  /// A client of a server that answers every ListFacts with these parts.
  private func client(_ parts: [Part]) -> TwindClient {
    var router = Router()
    router.stream(TwinServiceRoutes.listFacts) { call in
      call.onMessage = { (call, _: UnsafeRawBufferPointer) throws(RPCError) in
        for part in parts {
          let bytes = part.encoded
          call.send(byteCount: bytes.count) { $0.copyMemory(from: bytes, byteCount: bytes.count) }
        }
        call.finish()
      }
    }
    return TwindClient(.inProcess(router))
  }

  private struct Part: Sendable {
    var sequence: UInt64 = 0
    var withheld: [String] = []

    var encoded: [UInt8] {
      let arena = Arena(chunkBytes: 1024)
      let message = arena.make(Twind__V1__ListFactsResponse.self)
      message.pointee.sequence = sequence
      message.pointee.n_redactions = withheld.count
      message.pointee.redactions = arena.array(
        withheld.map { name in
          let redaction = arena.make(Twind__V1__Redaction.self)
          redaction.pointee.attribute = arena.string(name)
          redaction.pointee.reason = arena.string("not for support")
          return redaction
        })
      return UnsafePointer(message).encoded()
    }
  }

  @Test func eachAttributeWithheldIsSaidOnce() throws {
    let parts = [Part(withheld: ["a", "b"]), Part(withheld: ["a"]), Part(sequence: 7, withheld: ["c"])]
    let list = try client(parts).facts(of: "acme/customer/1").all()
    #expect(list.redactions.map(\.attribute) == ["a", "b", "c"] && list.sequence == 7 && list.facts.isEmpty)
    #expect(list.redactions.allSatisfy { $0.reason == "not for support" && $0.twin.isEmpty })
  }

  @Test func anEndWithoutALastPartIsAnError() throws {
    let error = failure { _ = try client([Part()]).facts(of: "acme/customer/1").all() }
    #expect(error?.code == .internal && error?.message.contains("before the last facts") == true)
  }
}
