// GetTwin: the read that agents wait for. One lookup, one copy, under one shard's lock.

import CLinux
import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func getTwin(_ request: UnsafePointer<Twind__V1__GetTwinRequest>, _ call: borrowing UnaryCall) throws(RPCError) {
    let wanted = request.pointee.min_sequence
    guard try isVisible(wanted) else {
      return park(call, until: wanted) {
        [self] (payload: UnsafeRawBufferPointer, parked: ServerCall) throws(RPCError) in
        try answer(parked.unpack(Twind__V1__GetTwinRequest.self, payload), parked)
      }
    }
    try answer(request, call)
  }

  @inline(__always)
  private func answer<Call: TwinReplying & ~Copyable>(
    _ request: UnsafePointer<Twind__V1__GetTwinRequest>, _ call: borrowing Call
  ) throws(RPCError) {
    try onWire { () throws(TwinError) in
      let name = try TwinName(Text(request.pointee.name))
      let mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
      let permit = try permit(purpose: Text(request.pointee.purpose))
      let known = request.pointee.if_newer_than_revision
      try store.withTwin(name) { (image, sequence) throws(TwinError) in
        guard let image, !image.isDeleted else { throw TwinError.noTwin(name) }
        guard image.revision > known else { return Self.replyNotModified(call, sequence) }
        let twin = TwinEncoding(image, mask, permit)
        var redactions = RedactionEncoding(field: 3, namesTwin: false)
        redactions.add(image, mask, permit)
        let count =
          twin.fieldByteCount + 1 + WireWriter.varintByteCount(sequence) + redactions.bytes.count
        call.reply(byteCount: count) { start in
          let place = WireWriter.writeVarintField(2, sequence, to: twin.writeField(1, to: start))
          _ = redactions.write(to: place)
        }
      }
    }
  }

  private static func replyNotModified<Call: TwinReplying & ~Copyable>(_ call: borrowing Call, _ sequence: UInt64) {
    call.reply(byteCount: 1 + WireWriter.varintByteCount(sequence) + 2) { start in
      _ = WireWriter.writeVarintField(4, 1, to: WireWriter.writeVarintField(2, sequence, to: start))
    }
  }
}

extension TwinError {
  static func noTwin(_ name: TwinName) -> TwinError {
    TwinError(.notFound, "no twin \(name): update it to create it")
  }
}
