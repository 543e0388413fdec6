// Sends batches to the daemon, several at a time.
//
// Rows of a twin take effect in the order of the file. If the daemon refuses a batch, it is split in halves until the
// invalid rows are alone, and the others are written. With idempotency keys, a batch is not written twice.

import Glibc
import TTRPC
import TwinClient
import TwinText

struct ImportPipeline: ImportTarget {
  private static let inFlightMax = 8
  private static let clientsMax = 16
  /// How many batches are filled at a time, each for another agent.
  private static let openBatchesMax = 16
  /// How long a batch waits for room, and how often it tries.
  private static let roomTriesMax = 600
  private static let roomPauseMicros: UInt32 = 50_000

  /// How many facts the daemon has recorded.
  private var factCount = 0
  /// How many rows changed nothing.
  private var unchangedCount = 0
  /// Whether some of them had been written by an earlier import of the file.
  private var hasRepeated = false

  private let connect: (_ agent: String?) -> TwindClient
  private var clients: [String?: TwindClient] = [:]
  private let options: WriteOptions
  private let keys: ImportKeys?
  private let rejected: RejectsFile
  private let inFlightMax: Int
  private var batches: ImportBatches
  private var inFlight: [(batch: ImportBatch, write: PendingWrite)] = []
  /// The daemon's sequence before the first batch. A reply with an earlier one is for a batch that was written before.
  private var startSequence: UInt64?

  /// - Parameters:
  ///   - keys: nil: write without keys.
  ///   - batchSize: twins in a batch.
  ///   - isStrict: nothing after an invalid row may be written, so batches are sent one by one.
  ///   - connect: makes the client for an agent; nil: the agent of the import.
  init(
    _ options: WriteOptions, _ keys: ImportKeys?, _ rejected: RejectsFile, batchSize: Int, isStrict: Bool,
    connect: @escaping (_ agent: String?) -> TwindClient
  ) {
    self.connect = connect
    self.options = options
    self.keys = keys
    self.rejected = rejected
    batches = ImportBatches(twinsMax: batchSize, openMax: isStrict ? 1 : Self.openBatchesMax)
    inFlightMax = isStrict ? 1 : Self.inFlightMax
  }

  /// Adds a row. Sends batches that are full.
  mutating func add(_ row: ImportRow) throws {
    for part in try row.parts() {
      for batch in batches.add(part) { try send(batch) }
    }
  }

  /// Sends the remaining batches and waits for all of them.
  mutating func finish() throws {
    for batch in batches.takeAll() { try send(batch) }
    try settleAll()
  }

  private mutating func settleAll() throws {
    while !inFlight.isEmpty { try settleFirst() }
  }

  var outcome: String {
    let facts = FixedText.count(factCount, "fact")
    if unchangedCount == 0 { return facts }
    return "\(facts), \(FixedText.count(unchangedCount, "row")) already there\(hasRepeated ? " (see --again)" : "")"
  }

  func add(to object: inout JSONObject) {
    object.add("facts", factCount)
    object.add("unchanged", unchangedCount)
  }

  private mutating func send(_ batch: ImportBatch) throws {
    let client = try client(of: batch)
    if startSequence == nil { startSequence = try client.list(prefix: "", pageSize: 1, namesOnly: true).sequence }
    // A batch that is refused is tried again in parts: rows of the same twins must not overtake it.
    while inFlight.count >= inFlightMax || inFlight.contains(where: { !$0.batch.names.isDisjoint(with: batch.names) }) {
      try settleFirst()
    }
    inFlight.append((batch, try client.start(many: batch.rows.map(\.update), options(of: batch))))
  }

  private mutating func client(of batch: ImportBatch) throws -> TwindClient {
    let agent = batch.author.agent
    if let client = clients[agent] { return client }
    if clients.count >= Self.clientsMax {
      try settleAll()
      clients = [:]
    }
    let client = connect(agent)
    clients[agent] = client
    return client
  }

  private func options(of batch: ImportBatch) -> WriteOptions {
    var options = options
    if let purpose = batch.author.purpose { options.purpose = purpose }
    options.idempotencyKey = keys?.key(batch, purpose: options.purpose)
    return options
  }

  private mutating func settleFirst() throws {
    let (batch, write) = inFlight.removeFirst()
    try settle(batch, Result { () throws(RPCError) in try write.wait() })
  }

  private mutating func settle(_ batch: ImportBatch, _ result: Result<WriteResult, RPCError>) throws {
    switch result {
    case .success(let result): count(batch, result)
    case .failure(let error) where Self.isAboutRows(error): try divide(batch, error)
    case .failure(let error) where Self.isAboutRoom(error):
      try settle(batch, afterRoom(for: batch, error, client(of: batch)))
    case .failure(let error): throw error
    }
  }

  private mutating func count(_ batch: ImportBatch, _ result: WriteResult) {
    if result.factCount > 0 && result.sequence > startSequence ?? 0 {
      factCount += result.factCount
      unchangedCount += result.revisions.count { $0 != result.sequence }
    } else {
      unchangedCount += batch.rows.count
      if result.factCount > 0 { hasRepeated = true }
    }
  }

  private mutating func divide(_ batch: ImportBatch, _ error: RPCError) throws {
    if batch.rows.count == 1 { return try rejected.add(batch.rows[0].record, "\(error.code.name): \(error.message)") }
    let middle = batch.rows.count / 2
    let client = try client(of: batch)
    for half in [ImportBatch(batch.rows[..<middle]), ImportBatch(batch.rows[middle...])] {
      try settle(half, written(half, by: client))
    }
  }

  private func written(_ batch: ImportBatch, by client: TwindClient) -> Result<WriteResult, RPCError> {
    Result { () throws(RPCError) in try client.update(many: batch.rows.map(\.update), options(of: batch)) }
  }

  /// Retries until a checkpoint has made room for keys.
  private func afterRoom(
    for batch: ImportBatch, _ error: RPCError, _ client: TwindClient
  ) throws(RPCError) -> Result<WriteResult, RPCError> {
    for _ in 0..<Self.roomTriesMax {
      usleep(Self.roomPauseMicros)
      let result = written(batch, by: client)
      guard case .failure(let error) = result, Self.isAboutRoom(error) else { return result }
    }
    throw error
  }

  /// Whether another row might succeed where this one failed.
  private static func isAboutRows(_ error: RPCError) -> Bool {
    switch error.code {
    case .invalidArgument, .failedPrecondition, .outOfRange: true
    // Of a value or a twin; else the daemon's own distress, or a limit of keys.
    case .resourceExhausted: error.limit.map { !$0.hasPrefix("idempotency") } ?? false
    default: false
    }
  }

  /// Whether the daemon has too many keys that have not been checkpointed.
  private static func isAboutRoom(_ error: RPCError) -> Bool {
    error.limit == "idempotencyUnwrittenBytesMax"
  }
}
