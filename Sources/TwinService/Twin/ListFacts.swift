// ListFacts: streams the facts about a twin, oldest first.

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
        try FactsQuery(request, call.view(for: Text(request.pointee.purpose)))
      }
      try PartStream(FactsReader(query), store, lanes.long).begin(on: call)
    }
  }
}

/// The arguments of a ListFacts call.
struct FactsQuery: Sendable {
  let name: [UInt8]
  let mask: AttributeMask
  let view: View
  /// Half-open, microseconds since the epoch.
  private let recorded: Range<Int64>
  private let valid: Range<Int64>

  init(_ request: UnsafePointer<Twind__V1__ListFactsRequest>, _ view: View) throws(TwinError) {
    name = try TwinName(Text(request.pointee.name)).array
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    self.view = view
    recorded = try Self.range("recorded", request.pointee.recorded_from_time, request.pointee.recorded_to_time)
    valid = try Self.range("valid", request.pointee.valid_from_time, request.pointee.valid_to_time)
  }

  private static func range(_ axis: String, _ from: Int64, _ to: Int64) throws(TwinError) -> Range<Int64> {
    let (start, end) = (from == 0 ? Int64.min : from, to == 0 ? Int64.max : to)
    guard start < end else {
      throw .invalid(
        "\(axis)_from_time \(instant(from)) must be before \(axis)_to_time \(instant(to))")
    }
    return start..<end
  }

  func wants(_ record: AttributeRecord) -> Bool {
    let end = record.validTo == 0 ? Int64.max : record.validTo
    return recorded.contains(record.recordedAt) && record.validFrom < valid.upperBound && end > valid.lowerBound
      // A deletion is about all attributes.
      && (record.name.isEmpty || mask.covers(record.name))
  }

  /// The encoded facts of a page that match.
  func part(_ facts: [StoredFact], _ sight: HistorySight) -> FactEncoding {
    var part = FactEncoding(sight)
    for fact in facts {
      fact.message.withUnsafeBytes { bytes in
        guard let record = try? AttributeRecord(bytes), wants(record) else { return }
        part.add(fact.ordinal, record)
      }
    }
    return part
  }
}

/// Reads the matching facts, for each part as many pages as it takes to find some.
private struct FactsReader: PartReader {
  struct Part: StreamPart {
    let facts: FactEncoding
    /// 0: more parts follow.
    let sequence: UInt64

    var isLast: Bool { sequence != 0 }
    func send(on call: ServerCall) { facts.send(on: call, sequence: sequence) }
  }

  private let query: FactsQuery
  private var cursor: HistoryCursor
  private var hasSent = false
  private var triesLeft = TwinCore.Limits.historyTriesMax

  init(_ query: FactsQuery) {
    self.query = query
    cursor = query.name.withUnsafeBytes { HistoryCursor(TwinName(unchecked: $0)) }
  }

  mutating func step(_ store: Store) throws(RPCError) -> Part? {
    let page = try onDisk { () throws(StoreError) in try store.read(&cursor) }
    let sight = try onDisk { () throws(StoreError) in try store.historySight(query.name, in: query.view) }
    switch page {
    case .absent:
      throw RPCError(TwinError.noTwin(query.name))
    case .trimmed:
      triesLeft -= 1
      // What was sent cannot be taken back.
      if hasSent || triesLeft == 0 { throw RPCError(TwinError.trimmed(query.name)) }
      return nil
    case .part(let facts):
      let part = query.part(facts, sight)
      if part.byteCount == 0 { return nil }
      hasSent = true
      return Part(facts: part, sequence: 0)
    case .last(let facts, let sequence):
      return Part(facts: query.part(facts, sight), sequence: sequence)
    }
  }
}
