// ListFacts: every fact about one twin, oldest first, in parts that the connection takes.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func listFacts(_ call: ServerCall) {
    call.onMessage = { [self] (call, bytes) throws(RPCError) in
      let request = try call.unpack(Twind__V1__ListFactsRequest.self, bytes)
      let query = try onWire { () throws(TwinError) in
        try FactsQuery(request, permit(purpose: Text(request.pointee.purpose)))
      }
      try FactStream(query, store, lanes.long).begin(on: call)
    }
  }
}

/// What a ListFacts call asks for.
struct FactsQuery: Sendable {
  let name: [UInt8]
  let mask: AttributeMask
  let permit: Permit
  /// Half-open, microseconds since the epoch.
  private let recorded: Range<Int64>
  private let valid: Range<Int64>

  init(_ request: UnsafePointer<Twind__V1__ListFactsRequest>, _ permit: Permit) throws(TwinError) {
    name = try TwinName(Text(request.pointee.name)).array
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    self.permit = permit
    recorded = try Self.range("recorded", request.pointee.recorded_from_time, request.pointee.recorded_to_time)
    valid = try Self.range("valid", request.pointee.valid_from_time, request.pointee.valid_to_time)
  }

  private static func range(_ axis: String, _ from: Int64, _ to: Int64) throws(TwinError) -> Range<Int64> {
    let (start, end) = (from == 0 ? Int64.min : from, to == 0 ? Int64.max : to)
    guard start < end else {
      throw .invalid("\(axis)_from_time \(from) is not before \(axis)_to_time \(to): nothing lies between them")
    }
    return start..<end
  }

  func wants(_ record: AttributeRecord) -> Bool {
    let end = record.validTo == 0 ? Int64.max : record.validTo
    return recorded.contains(record.recordedAt) && record.validFrom < valid.upperBound && end > valid.lowerBound
      // A deletion is about all attributes.
      && (record.name.isEmpty || mask.covers(record.name))
  }

  /// What is wanted of a page, encoded.
  func part(_ facts: [StoredFact]) -> FactEncoding {
    var part = FactEncoding(permit)
    for fact in facts {
      fact.message.withUnsafeBytes { bytes in
        guard let record = try? AttributeRecord(bytes), wants(record) else { return }
        part.add(fact.ordinal, record)
      }
    }
    return part
  }
}

/// Sends facts as the connection takes them: a worker reads the next page only when there is room for it, and it is sent as
/// soon as it is read. A stream that waits for its reader holds no facts. Confined to its call's thread.
private final class FactStream: @unchecked Sendable {
  let query: FactsQuery
  let store: Store
  let workers: Workers
  /// Behind what was sent.
  private(set) var cursor: HistoryCursor
  private(set) var hasSent = false
  private var isReading = false

  init(_ query: FactsQuery, _ store: Store, _ workers: Workers) {
    self.query = query
    self.store = store
    self.workers = workers
    cursor = query.name.withUnsafeBytes { HistoryCursor(TwinName(unchecked: $0)) }
  }

  func begin(on call: ServerCall) throws(RPCError) {
    // The call holds the stream until it ends.
    call.onWritable = { self.advance($0) }
    try read(call)
  }

  private func advance(_ call: ServerCall) {
    guard !isReading && !call.isEnded && call.isWritable else { return }
    do throws(RPCError) {
      try read(call)
    } catch {
      call.fail(error)
    }
  }

  private func read(_ call: ServerCall) throws(RPCError) {
    try call.reserve(TwinCore.Limits.historyPageBytesMax)
    do throws(RPCError) {
      try PartRead(self, call).submit()
    } catch {
      call.giveBack(TwinCore.Limits.historyPageBytesMax)
      throw error
    }
    isReading = true
    call.keepRoom(byteCount: TwinCore.Limits.historyPageBytesMax)
  }

  fileprivate func take(_ result: Result<PartRead.Part, RPCError>, _ call: ServerCall) {
    isReading = false
    call.giveBack(TwinCore.Limits.historyPageBytesMax)
    call.giveRoomBack()
    guard !call.isEnded else { return }
    switch result {
    case .success(let part):
      cursor = part.cursor
      hasSent = true
      part.facts.send(on: call, sequence: part.sequence)
      if part.sequence != 0 { return call.finish() }
      advance(call)
    case .failure(let error):
      call.fail(error)
    }
  }
}

/// The read of one part: of as many pages as it takes to find something that is wanted, others having their turn between
/// two. Used by one thread at a time, a worker's: a step hands it to the next.
private final class PartRead: @unchecked Sendable {
  struct Part: Sendable {
    let facts: FactEncoding
    /// 0 = more parts follow.
    let sequence: UInt64
    /// Behind them.
    let cursor: HistoryCursor
  }

  private let stream: FactStream
  private let call: ServerCall
  private let query: FactsQuery
  private let store: Store
  private let workers: Workers
  private let hasSent: Bool
  private var cursor: HistoryCursor
  private var triesLeft = TwinCore.Limits.historyTriesMax

  init(_ stream: FactStream, _ call: ServerCall) {
    self.stream = stream
    self.call = call
    query = stream.query
    store = stream.store
    workers = stream.workers
    hasSent = stream.hasSent
    cursor = stream.cursor
  }

  func submit() throws(RPCError) { try workers.submit(for: call) { self.step() } }

  private func goOn() throws(RPCError) { try workers.resubmit(for: call) { self.step() } }

  private func step() {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      switch try onDisk({ () throws(StoreError) in try store.read(&cursor) }) {
      case .absent:
        throw RPCError(TwinError.noTwin(query.name))
      case .trimmed:
        triesLeft -= 1
        // What was sent cannot be taken back.
        if hasSent || triesLeft == 0 { throw RPCError(TwinError.trimmed(query.name)) }
        try goOn()
      case .part(let facts):
        let part = query.part(facts)
        if part.byteCount == 0 { try goOn() } else { deliver(part, 0) }
      case .last(let facts, let sequence):
        deliver(query.part(facts), sequence)
      }
    } catch {
      deliver(.failure(error))
    }
  }

  private func deliver(_ facts: FactEncoding, _ sequence: UInt64) {
    deliver(.success(Part(facts: facts, sequence: sequence, cursor: cursor)))
  }

  private func deliver(_ result: Result<Part, RPCError>) {
    call.onThread { [stream] in stream.take(result, $0) }
  }
}
