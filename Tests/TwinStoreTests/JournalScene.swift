// A journal on a disk in memory, with short ways to write, sync and recover.

import CLinux
import TwinFixtures
import TwinStore

struct Written: Equatable, CustomStringConvertible {
  var sequence: UInt64
  var payload: String

  init(_ sequence: UInt64, _ payload: String? = nil) {
    self.sequence = sequence
    self.payload = payload ?? "record \(sequence)"
  }

  var description: String { "\(sequence):\(payload)" }
}

let smallSegments = JournalOptions(segmentBytes: 512, recordBytesMax: 200, bytesMax: 512 * 8)

extension JournalDisk {
  /// All records, and what recovery says.
  func recover(
    applied: UInt64 = 0, isExpected: Bool = true
  ) throws(StoreError) -> (records: [Written], recovery: JournalRecovery) {
    var records: [Written] = []
    let recovery = try Journal.recover(
      dataDirectory: "data", fileSystem: self, appliedSequence: applied, isExpected: isExpected
    ) { (record) throws(StoreError) in
      records.append(Written(record.sequence, String(decoding: record.payload, as: UTF8.self)))
    }
    return (records, recovery)
  }

  /// Recovers and goes on, as a start does.
  func start(
    applied: UInt64 = 0, isExpected: Bool = false, jump: UInt64 = 0, salt: UInt64 = 1,
    options: JournalOptions = smallSegments
  ) throws(StoreError) -> Journal {
    let recovery = try recover(applied: applied, isExpected: isExpected).recovery
    var salt = (salt &+ UInt64(calls.count)) &* 0x9e37_79b9_7f4a_7c15
    return try Journal(
      continuing: recovery, nextSequence: recovery.freeSequence + jump, options: options,
      randomness: {
        salt &+= 0x1234_5678_9abc_def1
        return salt
      })
  }

  func drop(after sequence: UInt64, applied: UInt64 = 0) throws(StoreError) -> JournalDropReport {
    try Journal.drop(
      after: sequence, dataDirectory: "data", fileSystem: self, appliedSequence: applied, options: smallSegments,
      randomness: { 77 })
  }

  /// The segments' paths, oldest first.
  var segments: [String] { files.keys.filter { $0.hasSuffix(".journal") }.sorted() }
}

extension Journal {
  func add(_ records: Written...) throws(StoreError) { try add(records) }

  func add(_ records: [Written]) throws(StoreError) {
    for record in records {
      try withBytes(record.payload) { (bytes: UnsafeRawBufferPointer) throws(StoreError) in
        try append(sequence: record.sequence, payload: bytes)
      }
    }
    try flush()
  }

  /// Adds it where there is room, going on in a next segment when there is none.
  func addSomewhere(_ record: Written) throws(StoreError) {
    if room(for: record.payload.utf8.count) != .here {
      try prepare()
      try rotate()
    }
    try add(record)
  }

  func syncAll() throws(StoreError) {
    guard let ticket = try beginSync() else { return }
    ticket.run()
    try endSync(ticket)
  }

  func prepare() throws(StoreError) {
    guard let preparation = beginPrepare() else { return }
    preparation.run()
    try endPrepare(preparation)
  }

  func delete(before number: UInt64) throws(StoreError) {
    guard let deletion = beginDelete(before: number) else { return }
    deletion.run()
    try endDelete(deletion)
  }
}

extension Journal {
  func append(sequence: UInt64, bytes: [UInt8]) throws(StoreError) {
    try withBytes(bytes) { (bytes: UnsafeRawBufferPointer) throws(StoreError) in
      try append(sequence: sequence, payload: bytes)
    }
  }
}

extension JournalDisk {
  /// The base sequence in a segment's header.
  func baseSequence(of path: String) -> UInt64 {
    files[path]!.bytes[24..<32].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Corrects the checksum of a header that a test has changed.
  func sealHeader(of path: String) {
    let bytes = files[path]!.bytes
    let start = bytes.withUnsafeBytes { twind_crc32c(0, $0.baseAddress, 12) }
    let sum = bytes.withUnsafeBytes { twind_crc32c(start, $0.baseAddress! + 16, 48) }
    for place in 0..<4 { files[path]!.bytes[12 + place] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(place))) }
  }
}
