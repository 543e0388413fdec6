// twind's requests as whole ttrpc frames.

import CTwindProto
import TTRPC
import TwinClient
import TwinRoutes

/// Frames of the four operations, with marks where the twin's number and the new value go.
struct TwindRequests {
  let space: String
  let valueBytes: Int
  var durability = Durability.unspecified
  /// Stands in front of the mark of a new value.
  var valuePrefix = ""

  private var name: String { "\(space)/customer/\(RequestTemplate.keyMark)" }

  func templates(_ operations: [Operation]) -> [Operation: RequestTemplate] {
    var templates: [Operation: RequestTemplate] = [:]
    for operation in operations {
      templates[operation] = RequestTemplate(frame(operation), isStream: operation == .watch)
    }
    return templates
  }

  func frame(_ operation: Operation) -> [UInt8] {
    let arena = Arena()
    switch operation {
    case .read:
      let request = arena.make(Twind__V1__GetTwinRequest.self)
      request.pointee.name = arena.string(name)
      return Self.frame(TwinServiceRoutes.getTwin, request)
    case .update:
      return Self.frame(TwinServiceRoutes.updateTwin, update(arena, valuePrefix + RequestTemplate.valueMark))
    case .batch:
      let request = arena.make(Twind__V1__BatchGetTwinsRequest.self)
      request.pointee.n_names = Operation.batchTwins
      request.pointee.names = arena.strings(Array(repeating: name, count: Operation.batchTwins))
      return Self.frame(TwinServiceRoutes.batchGetTwins, request)
    case .watch:
      let request = arena.make(Twind__V1__WatchTwinsRequest.self)
      request.pointee.n_names = 1
      request.pointee.names = arena.strings([name])
      return Self.frame(TwinServiceRoutes.watchTwins, request)
    }
  }

  /// One attribute is set to a text that begins so, and is as long as values are.
  func update(_ arena: Arena, _ beginning: String) -> UnsafeMutablePointer<Twind__V1__UpdateTwinRequest> {
    let value = beginning + String(repeating: "v", count: max(0, valueBytes - beginning.utf8.count))
    let set = arena.make(Twind__V1__Value.self)
    set.pointee.kind_case = TWIND__V1__VALUE__KIND_STRING_VALUE
    set.pointee.string_value = arena.string(value)
    let change = arena.make(Twind__V1__Change.self)
    change.pointee.attribute = arena.string(Population.attribute(0))
    change.pointee.op_case = TWIND__V1__CHANGE__OP_SET
    change.pointee.set = set
    let request = arena.make(Twind__V1__UpdateTwinRequest.self)
    request.pointee.name = arena.string(name)
    request.pointee.n_changes = 1
    request.pointee.changes = arena.array([change])
    request.pointee.durability = Twind__V1__Durability(rawValue: durability.rawValue)
    return request
  }

  /// Header and envelope; the stream id is the sender's to fill in.
  static func frame<Request, Response>(
    _ route: Route<Request, Response>, _ request: UnsafeMutablePointer<Request>
  ) -> [UInt8] {
    var envelope: [UInt8] = []
    append(1, Array(route.service.utf8), to: &envelope)
    append(2, Array(route.method.utf8), to: &envelope)
    append(3, request.encoded(), to: &envelope)
    let flags: FrameFlags = route.shape == .unary ? [] : [.remoteClosed]
    let header = FrameHeader(length: UInt32(envelope.count), stream: 0, type: .request, flags: flags)
    var frame = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    frame.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
    return frame + envelope
  }

  /// A length-delimited field of the envelope.
  private static func append(_ field: UInt8, _ bytes: [UInt8], to envelope: inout [UInt8]) {
    envelope.append(field << 3 | 2)
    var rest = bytes.count
    while rest >= 0x80 {
      envelope.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    envelope.append(UInt8(rest))
    envelope += bytes
  }
}

extension Arena {
  fileprivate func strings(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    array(texts.map { string($0) })
  }
}
