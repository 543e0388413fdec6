// A server with twins in it, and the client that calls it.

import CBench
import CTwindProto
import Foundation
import TTRPC
import TwinClient
import TwinCore
import TwinRoutes
import TwinService
import TwinStore

final class HotPath {
  private static let twinCount = 1_000
  /// Digits of a twin's number, and of what makes a value new.
  private static let digits = 6

  private let folder: String
  private let server: Server
  private let wire: OpaquePointer
  private let inFlight: Int
  private let frame: UnsafeMutableBufferPointer<UInt8>
  private let places: [Int]
  @exclusivity(unchecked) private var number = 0
  private let tags: UnsafeMutablePointer<UInt32>

  init(isWriting: Bool, inFlight: Int, purpose: String, hidden: String) throws {
    folder = FileManager.default.temporaryDirectory.path + "/twind-hot-path-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let store = try Store(directory: folder + "/data")
    let twins = TwinService(store: store, agents: Agents(), lanes: Lanes())
    var router = Router()
    twins.register(in: &router)
    server = try Server(router: router, reactors: 1)
    try server.start(try UnixListener(path: folder + "/s"))
    try Self.fill(TwindClient(path: folder + "/s"))
    if !hidden.isEmpty {
      store.put([Denial(kind: Array("customer".utf8), attributes: AttributeMask(names: [Array(hidden.utf8)]))])
    }
    guard let wire = bench_wire_open(folder + "/s", BENCH_TTRPC, UInt32(inFlight), 0) else {
      throw RPCError(.unavailable, "cannot connect: errno \(errno)")
    }
    self.wire = wire
    self.inFlight = inFlight
    tags = .allocate(capacity: inFlight)
    let frame = isWriting ? Self.update(purpose) : Self.read(purpose)
    let mark = Array(Self.mark.utf8)
    places = frame.indices.dropLast(mark.count - 1).filter { Array(frame[$0..<$0 + mark.count]) == mark }
    self.frame = .allocate(capacity: frame.count)
    _ = self.frame.initialize(from: frame)
  }

  func remove() {
    bench_wire_close(wire)
    server.shutdown()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Makes calls, each about another twin than the one before, as many at a time as may be in flight.
  func run(calls: Int) throws {
    var done = 0
    while done < calls {
      for tag in 0..<inFlight { begin(UInt32(tag)) }
      guard bench_wire_flush(wire) == 0 else { throw problem }
      var left = inFlight
      while left > 0 {
        let count = bench_wire_receive(wire, .max, tags, Int32(inFlight))
        guard count > 0 else { throw problem }
        left -= Int(count)
      }
      done += inFlight
    }
  }

  private func begin(_ tag: UInt32) {
    number += 1
    // The twin's number repeats, the value's does not.
    var rest = number % Self.twinCount
    for place in places {
      for digit in (0..<Self.digits).reversed() {
        frame[place + digit] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
      rest = number
    }
    _ = bench_wire_begin(wire, frame.baseAddress, frame.count, tag, 0)
  }

  private var problem: RPCError { RPCError(.internal, String(cString: bench_wire_problem(wire))) }

  /// Twins of 8 attributes with 24 bytes each.
  private static func fill(_ client: TwindClient) throws {
    for number in 0..<twinCount {
      let name = String(format: "hot/customer/%0\(digits)d", number)
      try client.update(name, (0..<8).map { .set("attribute_\($0)", .string(String(repeating: "v", count: 24))) })
    }
  }

  private static let mark = String(repeating: "#", count: digits)

  private static func read(_ purpose: String) -> [UInt8] {
    let arena = Arena()
    let request = arena.make(Twind__V1__GetTwinRequest.self)
    request.pointee.name = arena.string("hot/customer/" + mark)
    request.pointee.purpose = arena.string(purpose)
    return frame(TwinServiceRoutes.getTwin, request)
  }

  private static func update(_ purpose: String) -> [UInt8] {
    let arena = Arena()
    let set = arena.make(Twind__V1__Value.self)
    set.pointee.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE
    set.pointee.string_value = arena.string("vvvvvvvvvvvvvvvvvv" + mark)
    let change = arena.make(Twind__V1__Change.self)
    change.pointee.attribute = arena.string("attribute_0")
    change.pointee.op_case = TWIND__V1__CHANGE__OP_SET
    change.pointee.set = set
    let request = arena.make(Twind__V1__UpdateTwinRequest.self)
    request.pointee.name = arena.string("hot/customer/" + mark)
    request.pointee.n_changes = 1
    request.pointee.changes = arena.array([change])
    request.pointee.purpose = arena.string(purpose)
    return frame(TwinServiceRoutes.updateTwin, request)
  }

  /// Header and envelope; the client fills in the stream.
  private static func frame<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafeMutablePointer<Request>
  ) -> [UInt8] {
    let fields = [(1, Array(route.service.utf8)), (2, Array(route.method.utf8)), (3, request.encoded())]
    let envelope = fields.flatMap { (number, bytes) in
      precondition(bytes.count < 128, "a length of one byte")
      return [UInt8(number << 3 | 2), UInt8(bytes.count)] + bytes
    }
    var frame = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    frame.withUnsafeMutableBytes {
      FrameHeader(length: UInt32(envelope.count), stream: 0, type: .request).write(to: $0.baseAddress!)
    }
    return frame + envelope
  }
}
