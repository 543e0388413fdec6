// Values on the wire, also those of a version that is newer than this one.

import CTwindProto
import TTRPC
import Testing
import Threads
import TwinClient
import TwinRoutes

/// A daemon with one attribute, whose value is these bytes. Keeps the bytes of the value that is written.
private final class OneValue: @unchecked Sendable {
  let twind: TwindClient
  private let lock = Lock()
  private var kept: [UInt8] = []
  var written: [UInt8] { lock.withLock { kept } }

  init(_ encoded: [UInt8]) {
    let holder = Holder()
    var router = Router()
    router.unary(TwinServiceRoutes.getTwin) { (_, call) throws(RPCError) in
      let arena = call.arena
      let attribute = arena.make(Twind__V1__Attribute.self)
      attribute.pointee.name = arena.string("x")
      let value = try encoded.withUnsafeBufferPointer { (bytes) throws(RPCError) in
        try arena.unpack(Twind__V1__Value.self, UnsafeRawBufferPointer(bytes))
      }
      attribute.pointee.value = UnsafeMutablePointer(mutating: value)
      let twin = arena.make(Twind__V1__Twin.self)
      twin.pointee.name = arena.string("a/b/c")
      twin.pointee.n_attributes = 1
      twin.pointee.attributes = arena.array([attribute])
      let reply = arena.make(Twind__V1__GetTwinResponse.self)
      reply.pointee.twin = twin
      call.reply(reply)
    }
    router.unary(TwinServiceRoutes.updateTwin) { (request, call) throws(RPCError) in
      holder.owner?.keep(UnsafePointer(request.pointee.changes[0]!.pointee.set).encoded())
      call.reply(call.arena.make(Twind__V1__UpdateTwinResponse.self))
    }
    twind = TwindClient(.inProcess(router))
    holder.owner = self
  }

  private func keep(_ bytes: [UInt8]) { lock.withLock { kept = bytes } }

  private final class Holder: @unchecked Sendable { weak var owner: OneValue? }
}

@Suite struct ValueWireTests {
  /// A field 9 of the bytes "new", which no Value of this version has.
  static let novelty: [UInt8] = [0x4a, 3, 0x6e, 0x65, 0x77]
  /// A list of 1, a field 7 that no Scalar of this version has, and true.
  static let mixedList: [UInt8] = [0x3a, 12, 0x0a, 2, 0x10, 1, 0x0a, 2, 0x38, 5, 0x0a, 2, 0x20, 1]

  @Test(arguments: [
    (novelty, Value.unknown(novelty)),
    (mixedList, .list([.int(1), .unknown([0x38, 5]), .bool(true)])),
    ([], .unknown([])),
    ([0x42, 2, 0x7b, 0x7d], .json("{}")),
    ([0x0a, 0], .string("")),
    ([0x3a, 0], .list([])),
  ])
  func whatIsReadIsWrittenAgain(_ encoded: [UInt8], _ expected: Value) throws {
    let daemon = OneValue(encoded)
    let value = try #require(try daemon.twind.get("a/b/c").twin?["x"])
    #expect(value == expected)
    try daemon.twind.update("a/b/c", [.set("x", value)])
    #expect(daemon.written == encoded)
  }

  /// The daemon refuses such a value, as it has no kind.
  @Test func bytesThatAreNoValueAreNotSent() throws {
    let daemon = OneValue([])
    try daemon.twind.update("a/b/c", [.set("x", .unknown([0xff]))])
    #expect(daemon.written == [])
  }
}
