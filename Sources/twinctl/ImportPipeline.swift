// Batches on their way to the daemon, several at a time.
//
// Promises: rows of one twin take effect in the order of the file. A batch that the daemon refuses is halved until the
// rows that are wrong stand alone; the others are written.

import TTRPC
import TwinClient
import TwinText

struct ImportPipeline {
  private static let inFlightMax = 8
  private static let clientsMax = 16

  /// Facts that the daemon has recorded.
  private(set) var factCount = 0

  private let connect: (_ agent: String?) -> TwindClient
  private var clients: [String?: TwindClient] = [:]
  private let options: WriteOptions
  private let rejected: RejectsFile
  private let inFlightMax: Int
  private var inFlight: [(batch: ImportBatch, write: PendingWrite)] = []

  /// - Parameters:
  ///   - connect: makes the client of an agent; nil = that of the import.
  ///   - isStrict: nothing behind a wrong row may be written, so batches go one by one.
  init(
    _ options: WriteOptions, _ rejected: RejectsFile, isStrict: Bool,
    connect: @escaping (_ agent: String?) -> TwindClient
  ) {
    self.connect = connect
    self.options = options
    self.rejected = rejected
    inFlightMax = isStrict ? 1 : Self.inFlightMax
  }

  mutating func send(_ batch: ImportBatch) throws {
    if batch.isEmpty { return }
    // A batch that is refused is tried again in parts: rows of the same twins must not overtake it.
    while inFlight.count >= inFlightMax || inFlight.contains(where: { !$0.batch.names.isDisjoint(with: batch.names) }) {
      try settleFirst()
    }
    let client = try client(of: batch)
    inFlight.append((batch, try client.start(many: batch.rows.map(\.update), options(of: batch))))
  }

  /// Waits for everything that was sent.
  mutating func finish() throws {
    while !inFlight.isEmpty { try settleFirst() }
  }

  private mutating func client(of batch: ImportBatch) throws -> TwindClient {
    let agent = batch.author.agent
    if let client = clients[agent] { return client }
    if clients.count >= Self.clientsMax {
      try finish()
      clients = [:]
    }
    let client = connect(agent)
    clients[agent] = client
    return client
  }

  private func options(of batch: ImportBatch) -> WriteOptions {
    var options = options
    if let purpose = batch.author.purpose { options.purpose = purpose }
    return options
  }

  private mutating func settleFirst() throws {
    let (batch, write) = inFlight.removeFirst()
    try settle(batch, Result { () throws(RPCError) in try write.wait() })
  }

  private mutating func settle(_ batch: ImportBatch, _ result: Result<WriteResult, RPCError>) throws {
    switch result {
    case .success(let result): factCount += result.factCount
    case .failure(let error) where Self.isAboutRows(error): try divide(batch, error)
    case .failure(let error): throw error
    }
  }

  private mutating func divide(_ batch: ImportBatch, _ error: RPCError) throws {
    if batch.rows.count == 1 { return try rejected.add(batch.rows[0].record, "\(error.code.name): \(error.message)") }
    let middle = batch.rows.count / 2
    let (client, options) = (try client(of: batch), options(of: batch))
    for half in [ImportBatch(batch.rows[..<middle]), ImportBatch(batch.rows[middle...])] {
      try settle(half, Result { () throws(RPCError) in try client.update(many: half.rows.map(\.update), options) })
    }
  }

  /// Whether another row might be written where this failed.
  private static func isAboutRows(_ error: RPCError) -> Bool {
    switch error.code {
    case .invalidArgument, .failedPrecondition, .outOfRange: true
    // Limits of a value or a twin carry a detail; others are the daemon's own distress.
    case .resourceExhausted: error.details.contains { $0.typeURL.hasSuffix("twind.v1.LimitDetail") }
    default: false
    }
  }
}
