// ExportFacts: streams every fact of all twins, up to one sequence.
//
// Facts never change, so no snapshot is needed: facts of later commits are skipped. Only retention removes facts,
// possibly some that were there at that sequence; of such a twin, all remaining facts are sent.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension AdminService {
  func exportFacts(_ call: ServerCall) {
    call.onMessage = { [self] (call, bytes) throws(RPCError) in
      let request = try call.unpack(Twind__V1__ExportFactsRequest.self, bytes)
      let prefix = Text(request.pointee.prefix)
      try onWire { () throws(TwinError) in try checkPrefix(prefix.bytes) }
      try PartStream(ExportReader(prefix.array, store), store, lanes.long).begin(on: call)
    }
  }
}

/// Reads the facts twin by twin.
private struct ExportReader: PartReader {
  /// How many names are looked up at a time.
  private static let namesMax = TwinCore.Limits.listPageMax
  /// How many twins are read before other jobs run.
  private static let readsMax = 32

  /// The twin whose facts are being read.
  private struct OpenTwin {
    var cursor: HistoryCursor
    /// The encoded facts for the current part.
    var facts: [UInt8] = []
    var factCount: UInt64 = 0
    /// Whether an earlier part has facts of it.
    var hasSent = false
    var triesLeft = TwinCore.Limits.historyTriesMax
  }

  private let prefix: [UInt8]
  /// The last commit at the start of the call, and a time before which no later commit is recorded.
  private let sequence: UInt64
  private let startedAt: Int64
  private var names: ArraySlice<[UInt8]> = []
  private var lastName: [UInt8] = []
  private var hasAllNames = false
  private var twin: OpenTwin?
  private var part = ExportPart()
  private var twinCount: UInt64 = 0
  private var factCount: UInt64 = 0

  init(_ prefix: [UInt8], _ store: Store) {
    self.prefix = prefix
    // In this order: what is recorded up to then is within the sequence.
    startedAt = store.present()
    sequence = store.head
  }

  mutating func step(_ store: Store) throws(RPCError) -> ExportPart? {
    for _ in 0..<Self.readsMax {
      if twin == nil {
        guard let name = try nextName(store) else { return finish(isLast: true) }
        twin = name.withUnsafeBytes { OpenTwin(cursor: HistoryCursor(TwinName(unchecked: $0))) }
      }
      try readPage(store)
      if byteCount >= TwinCore.Limits.historyPageBytesMax { return finish(isLast: false) }
    }
    return nil
  }

  private var byteCount: Int { part.bytes.count + (twin?.facts.count ?? 0) }

  private mutating func nextName(_ store: Store) throws(RPCError) -> [UInt8]? {
    if names.isEmpty && !hasAllNames {
      let page = try onDisk { () throws(StoreError) in
        try store.names(prefix: prefix, after: lastName, limit: Self.namesMax)
      }
      names = page.names[...]
      lastName = page.names.last ?? lastName
      hasAllNames = page.isLast
    }
    return names.popFirst()
  }

  private mutating func readPage(_ store: Store) throws(RPCError) {
    var limits = HistoryLimits()
    limits.bytesMax -= byteCount
    switch try onDisk({ () throws(StoreError) in try store.read(&twin!.cursor, limits: limits) }) {
    case .absent:
      twin = nil
    case .trimmed:
      twin!.triesLeft -= 1
      // What was sent cannot be taken back.
      if twin!.hasSent || twin!.triesLeft == 0 { throw RPCError(TwinError.trimmed(twin!.cursor.name)) }
      twin!.facts = []
      twin!.factCount = 0
    case .part(let facts):
      add(facts)
    case .last(let facts, _):
      add(facts)
      closeTwin()
    }
  }

  private mutating func add(_ facts: [StoredFact]) {
    let isShortened = twin!.cursor.from > startedAt
    for fact in facts where isShortened || fact.sequence <= sequence {
      fact.message.withUnsafeBytes { bytes in
        // The store has checked it.
        guard let record = try? AttributeRecord(bytes) else { return }
        FactEncoding.append(fact.ordinal, record, field: 3, to: &twin!.facts)
        twin!.factCount += 1
      }
    }
  }

  /// Adds the twin's facts to the part.
  private mutating func takeFacts() {
    guard let open = twin, open.factCount > 0 else { return }
    part.add(open.cursor.name, keptFrom: open.cursor.from, open.facts)
    if !open.hasSent { twinCount += 1 }
    factCount += open.factCount
    twin!.facts = []
    twin!.factCount = 0
    twin!.hasSent = true
  }

  private mutating func closeTwin() {
    takeFacts()
    twin = nil
  }

  private mutating func finish(isLast: Bool) -> ExportPart {
    takeFacts()
    var finished = part
    finished.end(sequence, isLast ? (twinCount, factCount) : nil)
    part = ExportPart()
    return finished
  }
}

/// One ExportFactsResponse.
private struct ExportPart: StreamPart {
  private(set) var bytes: [UInt8] = []
  private(set) var isLast = false

  /// - Parameter facts: encoded, as fields of a TwinHistory.
  mutating func add(_ name: [UInt8], keptFrom: Int64, _ facts: [UInt8]) {
    let from = keptFrom == .min ? 0 : UInt64(bitPattern: keptFrom)
    let count =
      WireWriter.fieldByteCount(name.count) + (from == 0 ? 0 : 1 + WireWriter.varintByteCount(from)) + facts.count
    append(WireWriter.fieldByteCount(count)) { start in
      var place = WireWriter.writeFieldHeader(1, count: count, to: start)
      place = name.withUnsafeBytes { WireWriter.writeField(1, $0, to: place) }
      if from != 0 { place = WireWriter.writeVarintField(2, from, to: place) }
      facts.withUnsafeBytes { if let source = $0.baseAddress { place.copyMemory(from: source, byteCount: $0.count) } }
    }
  }

  /// - Parameter counts: the totals, in the last part.
  mutating func end(_ sequence: UInt64, _ counts: (twins: UInt64, facts: UInt64)?) {
    append(varint: 2, sequence)
    guard let counts else { return }
    isLast = true
    append(varint: 3, 1)
    append(varint: 4, counts.twins)
    append(varint: 5, counts.facts)
  }

  func send(on call: ServerCall) {
    call.send(byteCount: bytes.count) { start in
      bytes.withUnsafeBytes { if let source = $0.baseAddress { start.copyMemory(from: source, byteCount: $0.count) } }
    }
  }

  private mutating func append(varint number: UInt8, _ value: UInt64) {
    if value == 0 { return }
    append(1 + WireWriter.varintByteCount(value)) { _ = WireWriter.writeVarintField(number, value, to: $0) }
  }

  private mutating func append(_ count: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    bytes.withUnsafeMutableBytes { write($0.baseAddress! + start) }
  }
}
