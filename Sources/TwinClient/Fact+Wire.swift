// Facts from and to their encoded form.

import CTwindProto
import TTRPC

extension Fact {
  /// Encoded as a twind.v1.Attribute; for a fact that was read from a daemon, the same bytes that it stored.
  package var encoded: [UInt8] {
    let arena = Arena(chunkBytes: 1024)
    let message = arena.make(Twind__V1__Attribute.self)
    message.pointee.name = arena.string(attribute)
    switch change {
    case .set(let value): message.pointee.value = value.wire(in: arena)
    case .increment(let value, by: let delta):
      message.pointee.value = value.wire(in: arena)
      message.pointee.increment = delta.wire(in: arena)
    case .removal, .deletion: break
    }
    message.pointee.valid_from_time = validFrom
    message.pointee.valid_to_time = validTo ?? 0
    message.pointee.recorded_at = recordedAt
    message.pointee.agent = arena.string(agent)
    message.pointee.confidence = confidence ?? 0
    message.pointee.evidence = arena.string(evidence ?? "")
    message.pointee.sequence = sequence
    message.pointee.purpose = arena.string(purpose ?? "")
    return message.encoded()
  }
}
