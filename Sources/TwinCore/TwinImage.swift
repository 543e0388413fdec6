// A twin at rest: one buffer that holds its name, its attributes as they go on the wire, and an index.
//
//   header   revision, recordedAt, nextChangeTime, lengths and counts, deleted | the cache's marks
//   tail     +-----------------+-----------------+------+---+------------+---+----------+---------+
//            | index: current, | index: pending, | name | 0 | last agent | 0 | current  | pending |
//            | 16 B each       | 16 B each       |      |   |            |   | records  | records |
//            +-----------------+-----------------+------+---+------------+---+----------+---------+
//
// A record is a complete field: tag 0x1A, length, Attribute message. Concatenated, permitted current records are the
// `attributes` of a twind.v1.Twin, so that a read copies and never encodes. They are what counts from the moment the
// image was derived until nextChangeTime. Pending is whatever else can count after that: what begins later, what
// returns when something ends, and removals, which keep out older facts that come late.
//
// The image of a *change* holds one commit's facts about one twin as current records: attributes that were set,
// attributes without a value that were removed, or the one nameless record that deletes the twin. It is what the
// journal, the facts table and watches copy.
//
// Promises: one allocation, immutable but for the cache's marks, which the lock of the twin's shard guards. A
// deleted twin is an image without records that keeps its revision.

package struct TwinImage: @unchecked Sendable {
  package struct Header {
    package var revision: UInt64
    package var recordedAt: Int64
    /// The earliest time at which time alone changes what counts; Int64.max = none.
    package var nextChangeTime: Int64 = .max
    /// The checkpoint epoch in whose dirty list the image stands, and its place there. 0 = none.
    package var dirtyEpoch: UInt64 = 0
    /// Number of the last change of the twin among its shard's.
    package var lastChange: UInt64 = 0
    package var dirtySlot: UInt32 = 0
    package var recordsLength: UInt32
    package var pendingLength: UInt32 = 0
    /// Class bits that every current attribute has: when the permit shows one of them it shows all.
    package var commonClassBits: UInt32 = ~0
    package var entryCount: UInt16
    package var pendingCount: UInt16 = 0
    package var nameLength: UInt16
    /// In the image of a change: the number of its first fact within the commit.
    package var firstOrdinal: UInt16 = 0
    package var agentLength: UInt8
    package var isDeleted: Bool
    /// Was read since the cache last looked for twins to drop.
    package var isMarkedRead = false
  }

  package struct Flags: OptionSet, Equatable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Has no value: the attribute is not there.
    package static let removal = Flags(rawValue: 1)
    /// States valid_to_time.
    package static let bounded = Flags(rawValue: 2)
    /// In the image of a change: does not hold at the commit's time after it. About the past, where something newer
    /// stands, or about the future.
    package static let notCurrent = Flags(rawValue: 4)
  }

  /// Where one record lies, counted from the first record.
  package struct Entry: Equatable {
    package var offset: UInt32
    package var length: UInt32
    package var classBits: UInt32
    /// The name lies within the record: this many bytes from its start.
    package var nameStart: UInt8
    package var nameLength: UInt8
    package var flags: Flags
  }

  package typealias Storage = ManagedBuffer<Header, UInt8>
  package let storage: Storage

  @inlinable
  package init(storage: Storage) { self.storage = storage }

  /// How much an image will hold.
  struct Contents {
    var entryCount = 0
    var recordsLength = 0
    var pendingCount = 0
    var pendingLength = 0
  }

  /// An image whose index and records are yet to be written.
  init(
    name: UnsafeRawBufferPointer, agent: UnsafeRawBufferPointer, revision: UInt64, recordedAt: Int64,
    isDeleted: Bool, contents: Contents
  ) {
    let header = Header(
      revision: revision, recordedAt: recordedAt, recordsLength: UInt32(contents.recordsLength),
      pendingLength: UInt32(contents.pendingLength), entryCount: UInt16(contents.entryCount),
      pendingCount: UInt16(contents.pendingCount), nameLength: UInt16(name.count), agentLength: UInt8(agent.count),
      isDeleted: isDeleted)
    let namesLength = name.count + 1 + agent.count + 1
    let indexLength = (contents.entryCount + contents.pendingCount) * MemoryLayout<Entry>.stride
    let tailLength = indexLength + namesLength + contents.recordsLength + contents.pendingLength
    storage = Storage.create(minimumCapacity: tailLength) { _ in header }
    let names = UnsafeMutableRawBufferPointer(start: tail + nameOffset, count: namesLength)
    names.copyMemory(from: name)
    names[name.count] = 0
    UnsafeMutableRawBufferPointer(rebasing: names[(name.count + 1)...]).copyMemory(from: agent)
    names[namesLength - 1] = 0
  }
}

// MARK: - Parts

extension TwinImage {
  /// Stands for a twin that never existed: its revision is 0.
  package static func absent(_ name: TwinName) -> TwinImage {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    return TwinImage(
      name: name.bytes, agent: nothing, revision: 0, recordedAt: 0, isDeleted: true, contents: Contents())
  }

  /// The same, of a name that is known to keep the grammar.
  package static func absent(_ name: [UInt8]) -> TwinImage {
    name.withUnsafeBytes { absent(TwinName(unchecked: $0)) }
  }

  @inlinable package var header: Header {
    _read { yield storage.header }
  }
  @inlinable package var revision: UInt64 { storage.header.revision }
  /// When the last commit was recorded, in microseconds since the epoch.
  @inlinable package var recordedAt: Int64 { storage.header.recordedAt }
  @inlinable package var isDeleted: Bool { storage.header.isDeleted }
  @inlinable package var entryCount: Int { Int(storage.header.entryCount) }
  @inlinable package var recordsLength: Int { Int(storage.header.recordsLength) }

  /// The earliest time at which time alone changes what the current records are; Int64.max = none.
  @inlinable package var nextChangeTime: Int64 { storage.header.nextChangeTime }
  @inlinable package var pendingCount: Int { Int(storage.header.pendingCount) }
  @inlinable package var pendingLength: Int { Int(storage.header.pendingLength) }

  /// Bytes that it takes in memory.
  package var byteCount: Int { 16 + MemoryLayout<Header>.size + recordsOffset + recordsLength + pendingLength }

  /// The tail; good as long as the image.
  @inlinable var tail: UnsafeMutableRawPointer {
    storage.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
  }

  @inlinable var nameOffset: Int { (entryCount + pendingCount) * MemoryLayout<Entry>.stride }
  @inlinable var agentOffset: Int { nameOffset + Int(storage.header.nameLength) + 1 }
  @inlinable var recordsOffset: Int { agentOffset + Int(storage.header.agentLength) + 1 }

  /// Points into the image, like all that follows.
  @inlinable package var name: TwinName {
    TwinName(unchecked: UnsafeRawBufferPointer(start: tail + nameOffset, count: Int(storage.header.nameLength)))
  }

  package var nameText: Text { text(at: nameOffset, Int(storage.header.nameLength)) }

  /// The agent of the last commit.
  package var agent: Text { text(at: agentOffset, Int(storage.header.agentLength)) }

  private func text(at offset: Int, _ length: Int) -> Text {
    Text(start: UnsafePointer((tail + offset).assumingMemoryBound(to: CChar.self)), count: length)
  }

  /// The index of the current records, in byte order of the names.
  @inlinable package var entries: UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(start: tail.assumingMemoryBound(to: Entry.self), count: entryCount)
  }

  /// The index of the pending records, by name, then in the order of recording.
  package var pendingEntries: UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(start: tail.assumingMemoryBound(to: Entry.self) + entryCount, count: pendingCount)
  }

  /// All current records, one behind the other.
  @inlinable package var records: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset, count: recordsLength)
  }

  /// All pending records, one behind the other.
  package var pendingRecords: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset + recordsLength, count: pendingLength)
  }

  /// A current or pending record.
  @inlinable package func record(_ entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset + Int(entry.offset), count: Int(entry.length))
  }

  @inlinable package func name(_ entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: tail + recordsOffset + Int(entry.offset) + Int(entry.nameStart), count: Int(entry.nameLength))
  }

  /// Whether the two are one object.
  @inlinable package func isSame(as other: TwinImage) -> Bool { storage === other.storage }
}

// MARK: - The cache's marks, guarded by the shard's lock

extension TwinImage {
  package var dirtyEpoch: UInt64 { storage.header.dirtyEpoch }
  package var dirtySlot: Int { Int(storage.header.dirtySlot) }

  package func markDirty(epoch: UInt64, slot: Int) {
    storage.header.dirtyEpoch = epoch
    storage.header.dirtySlot = UInt32(slot)
  }

  /// Number of the last change of the twin among its shard's; 0 = none since the twin was read from the database.
  package var lastChange: UInt64 { storage.header.lastChange }
  package func markChanged(_ number: UInt64) { storage.header.lastChange = number }

  package var isMarkedRead: Bool { storage.header.isMarkedRead }
  @inlinable package func markRead() { storage.header.isMarkedRead = true }
  package func unmarkRead() { storage.header.isMarkedRead = false }
}
