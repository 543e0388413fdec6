// GetTwin. For a twin in memory it needs one lookup and one copy, with the lock of one shard held. A worker reads twins
// that are not in memory, and earlier states of twins.

import CLinux
import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func getTwin(_ request: UnsafePointer<Twind__V1__GetTwinRequest>, _ call: borrowing UnaryCall) throws(RPCError) {
    let wanted = request.pointee.min_sequence
    guard try isVisible(wanted) else { return park(call, until: wanted, then: answerGetTwin) }
    if request.pointee.valid_at != 0 || request.pointee.known_at != 0 {
      let query = try onWire { () throws(TwinError) in
        try AsOfQuery(request, call.view(for: Text(request.pointee.purpose)), store)
      }
      return try getTwin(query, call.deferred())
    }
    if let cold = try answer(request, call) { load(cold, for: call, then: answerGetTwin) }
  }

  /// The name is nearly always the request's first field, and shorter than 128 bytes.
  @inline(__always)
  func approachGetTwin(_ payload: UnsafeRawBufferPointer) {
    guard payload.count > 2, payload[0] == 1 << 3 | 2, payload[1] <= min(payload.count - 2, 127) else { return }
    store.approach(UnsafeRawBufferPointer(rebasing: payload[2..<2 + Int(payload[1])]))
  }

  private var answerGetTwin: Answer {
    { [self] (payload: UnsafeRawBufferPointer, parked: ServerCall, isLast: Bool) throws(RPCError) -> ColdNames? in
      let request = try parked.unpack(Twind__V1__GetTwinRequest.self, payload)
      if request.pointee.valid_at != 0 || request.pointee.known_at != 0 {
        let query = try onWire { () throws(TwinError) in
          try AsOfQuery(request, parked.view(for: Text(request.pointee.purpose)), store)
        }
        try getTwin(query, parked)
        return nil
      }
      guard let cold = try answer(request, parked) else { return nil }
      precondition(!isLast, "a twin that is pinned is in memory")
      return cold
    }
  }

  @inline(__always)
  private func answer<Call: TwinReplying & ~Copyable>(
    _ request: UnsafePointer<Twind__V1__GetTwinRequest>, _ call: borrowing Call
  ) throws(RPCError) -> ColdNames? {
    try onWire { () throws(TwinError) in
      // A name that is found keeps the grammar: it is judged only when it is not, or is longer than any that can be.
      let text = Text(request.pointee.name)
      let name = text.bytes.count <= Limits.nameBytesMax ? TwinName(unchecked: text.bytes) : try TwinName(text)
      let mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
      let view = try Self.view(for: Text(request.pointee.purpose), call)
      switch send(name, mask, view, request.pointee.if_newer_than_revision, call) {
      case .sent: return nil
      case .absent: throw TwinError.noTwin(try TwinName(name.bytes))
      case .cold: return ColdNames(try TwinName(name.bytes))
      }
    }
  }

  /// What the caller sees, without counting references: the caller keeps the view until it uses another.
  @inline(__always)
  private static func view<Call: TwinReplying & ~Copyable>(
    for purpose: Text, _ call: borrowing Call
  ) throws(TwinError) -> Unmanaged<View> {
    let caller = call.caller
    if let view = caller._withUnsafeGuaranteedRef({ $0.latestView(for: purpose) }) { return view }
    return .passUnretained(try caller.takeUnretainedValue().view(for: purpose))
  }

  private enum Sending { case sent, absent, cold }

  /// Replies from memory, if the twin is there.
  @inline(__always)
  private func send<Call: TwinReplying & ~Copyable>(
    _ name: TwinName, _ mask: AttributeMask, _ view: Unmanaged<View>, _ known: UInt64, _ call: borrowing Call
  ) -> Sending {
    // All up to the head is in memory; the twin may be newer.
    let head = store.head
    let lent = store.lend(name, in: view)
    switch lent.found {
    case .cold: return .cold
    case .absent: return .absent
    case .image(let image):
      return image._withUnsafeGuaranteedRef { storage in
        let image = TwinImage(storage: storage)
        if image.isDeleted { return .absent }
        TwinReply(image, mask, lent.sight, max(head, image.revision), known).send(on: call)
        return .sent
      }
    }
  }
}

/// The reply with one twin.
struct TwinReply {
  private let image: TwinImage
  private let mask: AttributeMask
  private let sight: Sight
  private let sequence: UInt64
  private let known: UInt64

  /// - Parameter known: the revision that the caller has; 0: none.
  @inline(__always)
  init(_ image: TwinImage, _ mask: AttributeMask, _ sight: Sight, _ sequence: UInt64, _ known: UInt64) {
    self.image = image
    self.mask = mask
    self.sight = sight
    self.sequence = sequence
    self.known = known
  }

  /// False only if the caller certainly has the current twin. A revision that was never issued comes from another store
  /// or from lost commits; and a revision does not tell whether it was read before time changed the twin.
  @inline(__always)
  private var isNews: Bool { image.revision > known || known > sequence || image.isTurned }

  @inline(__always)
  func send<Call: TwinReplying & ~Copyable>(on call: borrowing Call) {
    if !isNews { return sendNotModified(call) }
    let twin = TwinEncoding(image, mask, sight)
    // Nearly always nothing is left out, and so nothing is withheld.
    if image.showsAll(mask, sight) { return send(twin, on: call) }
    let redactions = Redactions(image, mask, sight, field: 3, namesTwin: false)
    let count = twin.fieldByteCount + 1 + WireWriter.varintByteCount(sequence) + redactions.byteCount
    call.reply(byteCount: count) { start in
      let place = WireWriter.writeVarintField(2, sequence, to: twin.writeField(1, to: start))
      _ = redactions.write(to: place)
    }
  }

  @inline(__always)
  private func send<Call: TwinReplying & ~Copyable>(_ twin: TwinEncoding, on call: borrowing Call) {
    let count = twin.fieldByteCount + 1 + WireWriter.varintByteCount(sequence)
    call.reply(byteCount: count) { start in
      _ = WireWriter.writeVarintField(2, sequence, to: twin.writeField(1, to: start))
    }
  }

  private func sendNotModified<Call: TwinReplying & ~Copyable>(_ call: borrowing Call) {
    call.reply(byteCount: 1 + WireWriter.varintByteCount(sequence) + 2) { start in
      _ = WireWriter.writeVarintField(4, 1, to: WireWriter.writeVarintField(2, sequence, to: start))
    }
  }
}

extension TwinError {
  static func noTwin(_ name: TwinName) -> TwinError {
    TwinError(.notFound, "\(name) does not exist: the first update creates it")
  }

  static func noTwin(_ name: [UInt8]) -> TwinError {
    name.withUnsafeBytes { noTwin(TwinName(unchecked: $0)) }
  }
}
