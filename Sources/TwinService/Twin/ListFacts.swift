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
      try lanes.long.submit(for: call) { [store] in
        guard !call.isEnded else { return }
        do throws(RPCError) {
          let facts = try query.read(store)
          call.onThread { FactStream(facts, query).begin(on: $0) }
        } catch {
          call.complete(.failure(error))
        }
      }
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

  /// On a thread that may block.
  func read(_ store: Store) throws(RPCError) -> TwinHistory {
    try name.withUnsafeBufferPointer { (bytes) throws(RPCError) in
      let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
      guard let facts = try onDisk({ () throws(StoreError) in try store.facts(of: name) }) else {
        throw RPCError(TwinError.noTwin(name))
      }
      return facts
    }
  }
}

/// Sends facts as the connection takes them. Confined to its call's thread.
private final class FactStream {
  private let facts: TwinHistory
  private let query: FactsQuery
  private var next = 0

  init(_ facts: TwinHistory, _ query: FactsQuery) {
    self.facts = facts
    self.query = query
  }

  func begin(on call: ServerCall) {
    // The call holds the stream until it ends.
    call.onWritable = { self.advance($0) }
    advance(call)
  }

  private func advance(_ call: ServerCall) {
    while call.isWritable && !call.isEnded {
      var part = FactEncoding(query.permit)
      while next < facts.facts.count, part.byteCount < ServiceLimits.factsBytesMax {
        let fact = facts.facts[next]
        next += 1
        fact.message.withUnsafeBytes { bytes in
          guard let record = try? AttributeRecord(bytes), query.wants(record) else { return }
          part.add(fact.ordinal, record)
        }
      }
      let isLast = next == facts.facts.count
      part.send(on: call, sequence: isLast ? facts.sequence : 0)
      if isLast { return call.finish() }
    }
  }
}
