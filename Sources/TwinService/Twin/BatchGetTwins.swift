// BatchGetTwins: reads many twins at one sequence.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func batchGetTwins(
    _ request: UnsafePointer<Twind__V1__BatchGetTwinsRequest>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let wanted = request.pointee.min_sequence
    guard try isVisible(wanted) else { return park(call, until: wanted, then: answerBatch) }
    if let cold = try answer(request, call, isLast: false) { load(cold, for: call, then: answerBatch) }
  }

  private var answerBatch: Answer {
    { [self] (payload: UnsafeRawBufferPointer, parked: ServerCall, isLast: Bool) throws(RPCError) -> ColdNames? in
      try answer(parked.unpack(Twind__V1__BatchGetTwinsRequest.self, payload), parked, isLast: isLast)
    }
  }

  private func answer<Call: TwinReplying & ~Copyable>(
    _ request: UnsafePointer<Twind__V1__BatchGetTwinsRequest>, _ call: borrowing Call, isLast: Bool
  ) throws(RPCError) -> ColdNames? {
    try onWire { () throws(TwinError) in
      let names = try Self.names(request)
      let mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
      let view = try call.caller.takeUnretainedValue().view(for: Text(request.pointee.purpose))
      // Images never change, so the locks are held for taking them only.
      var images: [Found] = []
      var cold = ColdNames()
      images.reserveCapacity(names.count)
      let sequence = store.withTwins(names, in: view) { (index, found, sight) in
        switch found {
        case .image(let image): images.append(.image(SeenTwin(image: image, sight: sight)))
        case .absent: images.append(.absent)
        case .cold:
          images.append(.cold)
          cold.add(names[index])
        }
      }
      guard cold.names.isEmpty || isLast else { return cold }
      var reply = TwinResults(mask)
      for (name, found) in zip(names, images) { reply.add(name, found) }
      reply.send(sequence, on: call)
      return nil
    }
  }

  private static func names(
    _ request: UnsafePointer<Twind__V1__BatchGetTwinsRequest>
  ) throws(TwinError) -> [TwinName] {
    let count = request.pointee.n_names
    guard count > 0 else { throw .invalid("names is empty: give at least one twin") }
    guard count <= TwinCore.Limits.batchTwinsMax else {
      throw .limit(
        .invalidArgument, "the batch", "batchTwinsMax", maximum: TwinCore.Limits.batchTwinsMax, actual: count,
        unit: "names")
    }
    var names: [TwinName] = []
    names.reserveCapacity(count)
    var seen: Set<TwinName> = []
    for index in 0..<count {
      let name = try TwinName(Text(request.pointee.names[index]))
      guard seen.insert(name).inserted else { throw .invalid("\(name) appears twice in the batch: give it once") }
      names.append(name)
    }
    return names
  }
}

/// A twin of a batch.
private enum Found {
  case image(SeenTwin)
  case absent
  /// It is on disk, and the call has already loaded as much as it may.
  case cold
}

/// The results of a batch, measured as they are added and written at once.
private struct TwinResults {
  private enum Result {
    case twin(SeenTwin)
    case status([UInt8])
  }

  private let mask: AttributeMask
  private var results: [(name: TwinName, result: Result, byteCount: Int)] = []
  private var byteCount = 0
  private var redactionsByteCount = 0

  init(_ mask: AttributeMask) { self.mask = mask }

  mutating func add(_ name: TwinName, _ found: Found) {
    switch found {
    case .image(let twin) where !twin.image.isDeleted: add(name, twin)
    case .image, .absent: addStatus(name, .noTwin(name))
    case .cold:
      addStatus(
        name,
        TwinError(
          .resourceExhausted,
          "this call has read as much from disk as one call may (coldTwinBytesMax \(ServiceLimits.coldTwinBytesMax)): "
            + "ask for \(name) again",
          detail: .limit("coldTwinBytesMax", maximum: ServiceLimits.coldTwinBytesMax, actual: 0)))
    }
  }

  private func encoding(_ twin: SeenTwin) -> TwinEncoding { TwinEncoding(twin.image, mask, twin.sight) }

  private func redactions(_ twin: SeenTwin) -> Redactions {
    Redactions(twin.image, mask, twin.sight, field: 3, namesTwin: true)
  }

  private mutating func add(_ name: TwinName, _ twin: SeenTwin) {
    let count = WireWriter.fieldByteCount(name.bytes.count) + encoding(twin).fieldByteCount
    let newCount = byteCount + WireWriter.fieldByteCount(count)
    guard newCount <= ServiceLimits.replyBytesMax else {
      return addStatus(
        name,
        TwinError(
          .resourceExhausted, "the reply is full (replyBytesMax): ask for \(name) again",
          detail: .limit("replyBytesMax", maximum: ServiceLimits.replyBytesMax, actual: newCount)))
    }
    redactionsByteCount += redactions(twin).byteCount
    append(name, .twin(twin), count)
  }

  private mutating func addStatus(_ name: TwinName, _ error: TwinError) {
    let arena = Arena(chunkBytes: 512)
    let status = arena.make(Twind__V1__ResultStatus.self)
    status.pointee.code = error.code.rawValue
    status.pointee.message = arena.string(error.message)
    let bytes = status.encoded()
    append(
      name, .status(bytes), WireWriter.fieldByteCount(name.bytes.count) + WireWriter.fieldByteCount(bytes.count))
  }

  private mutating func append(_ name: TwinName, _ result: Result, _ count: Int) {
    results.append((name, result, count))
    byteCount += WireWriter.fieldByteCount(count)
  }

  func send<Call: TwinReplying & ~Copyable>(_ sequence: UInt64, on call: borrowing Call) {
    let total = byteCount + 1 + WireWriter.varintByteCount(sequence) + redactionsByteCount
    call.reply(byteCount: total) { start in
      var place = start
      for (name, result, count) in results {
        place = WireWriter.writeFieldHeader(1, count: count, to: place)
        place = WireWriter.writeField(1, name.bytes, to: place)
        switch result {
        case .twin(let twin): place = encoding(twin).writeField(2, to: place)
        case .status(let bytes): place = bytes.withUnsafeBytes { WireWriter.writeField(3, $0, to: place) }
        }
      }
      place = WireWriter.writeVarintField(2, sequence, to: place)
      for case (_, .twin(let twin), _) in results { place = redactions(twin).write(to: place) }
    }
  }
}
