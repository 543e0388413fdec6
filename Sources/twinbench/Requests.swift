// The requests of a benchmark, made once so that the loop measures calls and not their making.

import CTwindProto
import TTRPC
import TwinClient

/// Requests by number, for one thread.
protocol Requests {
  associatedtype Request: ProtobufMessage
  var count: Int { get }
  /// Valid until the next call.
  mutating func request(_ index: Int) -> UnsafePointer<Request>
}

struct ReadRequests: Requests {
  private let arena = Arena()
  private let requests: [UnsafePointer<Twind__V1__GetTwinRequest>]

  init(_ names: [String]) {
    let arena = arena
    requests = names.map { name in
      let request = arena.make(Twind__V1__GetTwinRequest.self)
      request.pointee.name = arena.string(name)
      return UnsafePointer(request)
    }
  }

  var count: Int { requests.count }

  func request(_ index: Int) -> UnsafePointer<Twind__V1__GetTwinRequest> { requests[index] }
}

struct WriteRequests: Requests {
  private let arena = Arena()
  private let names: [UnsafeMutablePointer<CChar>]
  private let message: UnsafeMutablePointer<Twind__V1__UpdateTwinRequest>
  private let value: UnsafeMutablePointer<CChar>
  private var written: UInt64

  init(_ names: [String], valueBytes: Int, _ durability: Durability) {
    let arena = arena
    self.names = names.map { arena.string($0) }
    // Threads write different values: a value that is there already would be no write.
    written = UInt64.random(in: 0 ... .max / 2)
    value = arena.string(String(repeating: "v", count: valueBytes))
    message = arena.make(Twind__V1__UpdateTwinRequest.self)
    let change = arena.make(Twind__V1__Change.self)
    change.pointee.attribute = arena.string(Population.attribute(0))
    change.pointee.op_case = TWIND__V1__CHANGE__OP_SET
    let set = arena.make(Twind__V1__Value.self)
    set.pointee.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE
    set.pointee.string_value = value
    change.pointee.set = set
    message.pointee.n_changes = 1
    message.pointee.changes = arena.array([change])
    message.pointee.durability = Twind__V1__Durability(rawValue: durability.rawValue)
  }

  var count: Int { names.count }

  mutating func request(_ index: Int) -> UnsafePointer<Twind__V1__UpdateTwinRequest> {
    written += 1
    for digit in 0..<16 {
      value[digit] = CChar(truncatingIfNeeded: 0x61 + written >> (UInt64(digit) * 4) & 0xf)
    }
    message.pointee.name = names[index]
    return UnsafePointer(message)
  }
}
