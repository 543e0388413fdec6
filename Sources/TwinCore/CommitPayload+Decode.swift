// A record of the journal read back: the images of its changes, ready for apply.
//
// Promises: only what `append` writes is accepted, everything else is refused with its place; nothing is trapped on.

extension CommitPayload {
  /// `sequence` is the journal record's; all facts must be of it.
  package init(decoding bytes: UnsafeRawBufferPointer, sequence: UInt64) throws(RecordFault) {
    var fields = Fields(bytes, in: bytes)
    recordedAt = Int64(bitPattern: try fields.varint(1))
    let agent = try fields.bytes(2) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    do { try checkAgent(agent) } catch { throw fields.fault(error.message) }
    var changes: [TwinImage] = []
    var names: Set<TwinName> = []
    var factCount = 0
    while let twin = try fields.bytes(3) {
      let change = try Self.change(Fields(twin, in: bytes), agent, recordedAt, sequence)
      change.storage.header.firstOrdinal = UInt16(truncatingIfNeeded: factCount)
      factCount += change.entryCount
      if !names.insert(change.name).inserted { throw fields.fault("\(change.name) appears twice in a commit") }
      if factCount > Limits.changesMax { throw fields.fault("a commit has more than \(Limits.changesMax) facts") }
      changes.append(change)
    }
    keyed = try fields.bytes(4).map { (message) throws(RecordFault) in try Self.keyed(Fields(message, in: bytes)) }
    try fields.end()
    if changes.isEmpty && keyed == nil { throw fields.fault("the commit is empty") }
    self.agent = [UInt8](agent)
    self.changes = changes
  }

  private static func change(
    _ twin: Fields, _ agent: UnsafeRawBufferPointer, _ recordedAt: Int64, _ sequence: UInt64
  ) throws(RecordFault) -> TwinImage {
    var twin = twin
    let name: TwinName
    do {
      name = try TwinName(try twin.bytes(1) ?? UnsafeRawBufferPointer(start: nil, count: 0))
    } catch let error as TwinError {
      throw twin.fault(error.message)
    } catch let error as RecordFault {
      throw error
    } catch {
      throw twin.fault("\(error)")
    }
    let isDeleted = try twin.varint(2) != 0
    var facts: [StoredRecord] = []
    while let fact = try twin.record(3) {
      guard fact.attribute.sequence == sequence, fact.attribute.recordedAt == recordedAt,
        equalBytes(fact.attribute.agent, agent)
      else { throw twin.fault("a fact of \(name) belongs to another commit") }
      if let before = facts.last?.attribute.name, compareBytes(before, fact.attribute.name) >= 0 {
        throw twin.fault("\(quoted(fact.attribute.name)) is out of order")
      }
      facts.append(fact)
    }
    try twin.end()
    guard let first = facts.first, facts.count <= Limits.changesMax,
      first.attribute.isDeletion == isDeleted, !isDeleted || facts.count == 1
    else { throw twin.fault("the \(facts.count) facts of \(name) are not a valid change") }
    let contents = TwinImage.Contents(
      entryCount: facts.count, recordsLength: facts.reduce(0) { $0 + $1.bytes.count })
    var writer = TwinImage.Writer(
      TwinImage(
        name: name.bytes, agent: agent, revision: sequence, recordedAt: recordedAt, isDeleted: isDeleted,
        contents: contents))
    for fact in facts { writer.copy(fact.bytes, fact.entry) }
    return writer.finish()
  }

  private static func keyed(_ message: Fields) throws(RecordFault) -> KeyedResult {
    var message = message
    let scope = try message.bytes(1) ?? UnsafeRawBufferPointer(start: nil, count: 0)
    guard scope.last == 0, scope.count(where: { $0 == 0 }) == 3 else {
      throw message.fault("the scope of an idempotency key does not have three parts")
    }
    let requestHash = try message.fixed64(2)
    guard let bytes = try message.bytes(3) else { throw message.fault("an idempotency key has no result") }
    try message.end()
    var result = message.inside(bytes)
    let sequence = try result.varint(1)
    var revisions: [UInt64] = []
    if let packed = try result.bytes(2) {
      var reader = WireReader(packed)
      while !reader.isAtEnd {
        guard let revision = reader.varint() else { throw result.fault("a revision is truncated") }
        revisions.append(revision)
      }
    }
    let factCount = try result.varint(3)
    try result.end()
    guard sequence <= Limits.sequenceMax, revisions.allSatisfy({ $0 <= Limits.sequenceMax }),
      revisions.count <= Limits.batchTwinsMax, factCount <= UInt64(Limits.changesMax)
    else { throw result.fault("the result of an idempotency key is not valid") }
    return KeyedResult(
      scope: [UInt8](scope), requestHash: requestHash, sequence: sequence, revisions: revisions,
      factCount: Int(factCount))
  }
}

/// The fields of one message, taken in ascending order.
private struct Fields {
  private let message: UnsafeRawBufferPointer
  /// What offsets in faults are counted in.
  private let whole: UnsafeRawBufferPointer
  private var reader: WireReader
  private var next: WireReader.Field?
  private var nextStart = 0

  init(_ message: UnsafeRawBufferPointer, in whole: UnsafeRawBufferPointer) {
    self.message = message
    self.whole = whole
    reader = WireReader(message)
  }

  func inside(_ message: UnsafeRawBufferPointer) -> Fields { Fields(message, in: whole) }

  func fault(_ reason: String) -> RecordFault {
    var base = 0
    if let start = message.baseAddress, let first = whole.baseAddress { base = start - first }
    return RecordFault(offset: base + nextStart, reason: reason)
  }

  /// The next field if it has this number.
  private mutating func take(_ number: UInt64) throws(RecordFault) -> WireReader.Content? {
    if next == nil && !reader.isAtEnd {
      nextStart = reader.position
      guard let field = reader.field() else { throw fault("this is not a protobuf field") }
      next = field
    }
    guard let field = next, field.number == number else { return nil }
    next = nil
    return field.content
  }

  /// 0 when it is left out.
  mutating func varint(_ number: UInt64) throws(RecordFault) -> UInt64 {
    switch try take(number) {
    case nil: return 0
    case .varint(let value)?: return value
    default: throw fault("field \(number) is not a varint")
    }
  }

  /// 0 when it is left out.
  mutating func fixed64(_ number: UInt64) throws(RecordFault) -> UInt64 {
    switch try take(number) {
    case nil: return 0
    case .fixed64(let value)?: return value
    default: throw fault("field \(number) is not a 64-bit field")
    }
  }

  /// Nil when it is left out.
  mutating func bytes(_ number: UInt64) throws(RecordFault) -> UnsafeRawBufferPointer? {
    switch try take(number) {
    case nil: return nil
    case .bytes(let value)?: return value
    default: throw fault("field \(number) is not length-delimited")
    }
  }

  /// The next record of facts, if there is one.
  mutating func record(_ number: UInt64) throws(RecordFault) -> StoredRecord? {
    guard let content = try take(number) else { return nil }
    guard case .bytes = content else { throw fault("field \(number) is not length-delimited") }
    var one = WireReader(message.part(nextStart, reader.position - nextStart))
    do {
      return try StoredRecord(&one, of: message.part(nextStart, reader.position - nextStart), field: number, as: .fact)
    } catch {
      throw fault(error.reason)
    }
  }

  func end() throws(RecordFault) {
    if next != nil || !reader.isAtEnd { throw fault("a field is unknown, out of order or appears twice") }
  }
}
