// A twin at rest: one buffer that holds its name, its attributes as they go on the wire, and an index.
//
//   header   revision, recordedAt, lengths, deleted | dirty slot and epoch
//   tail     +-------------------+------+---+------------+---+---------------------------+
//            | index, 16 B each  | name | 0 | last agent | 0 | records, in name order     |
//            +-------------------+------+---+------------+---+---------------------------+
//
// A record is a complete field: tag 0x1A, length, Attribute message. Concatenated, permitted records are the
// `attributes` of a twind.v1.Twin, so that a read copies and never encodes. In the image of a *change* the
// fields are those of a twind.v1.TwinChange: the same, and `removed` (tag 0x22, length, name).
//
// Promises: one allocation, immutable but for the dirty mark, which the lock of the twin's shard guards. A
// deleted twin is an image without records that keeps its revision.

package struct TwinImage: @unchecked Sendable {
  package struct Header {
    package var revision: UInt64
    package var recordedAt: Int64
    /// The checkpoint epoch in whose dirty list the image stands, and its place there. 0 = none.
    package var dirtyEpoch: UInt64 = 0
    package var dirtySlot: UInt32 = 0
    package var recordsLength: UInt32
    /// Class bits that every attribute has: when the permit shows one of them it shows all.
    package var commonClassBits: UInt32 = ~0
    package var entryCount: UInt16
    package var nameLength: UInt16
    package var agentLength: UInt8
    package var isDeleted: Bool
  }

  /// Where one record lies, counted from the first record.
  package struct Entry {
    package var offset: UInt32
    package var length: UInt32
    package var classBits: UInt32
    /// The name lies within the record: this many bytes from its start.
    package var nameStart: UInt8
    package var nameLength: UInt8
    package var reserved: UInt16 = 0
  }

  package typealias Storage = ManagedBuffer<Header, UInt8>
  package let storage: Storage

  @inlinable
  package init(storage: Storage) { self.storage = storage }

  /// An image whose index and records are yet to be written.
  init(
    name: UnsafeRawBufferPointer, agent: UnsafeRawBufferPointer, revision: UInt64, recordedAt: Int64,
    isDeleted: Bool, entryCount: Int, recordsLength: Int
  ) {
    let header = Header(
      revision: revision, recordedAt: recordedAt, recordsLength: UInt32(recordsLength),
      entryCount: UInt16(entryCount), nameLength: UInt16(name.count), agentLength: UInt8(agent.count),
      isDeleted: isDeleted)
    let namesLength = name.count + 1 + agent.count + 1
    let tailLength = entryCount * MemoryLayout<Entry>.stride + namesLength + recordsLength
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
  @inlinable package var header: Header {
    _read { yield storage.header }
  }
  @inlinable package var revision: UInt64 { storage.header.revision }
  /// When the last commit was recorded, in microseconds since the epoch.
  @inlinable package var recordedAt: Int64 { storage.header.recordedAt }
  @inlinable package var isDeleted: Bool { storage.header.isDeleted }
  @inlinable package var entryCount: Int { Int(storage.header.entryCount) }
  @inlinable package var recordsLength: Int { Int(storage.header.recordsLength) }

  /// Bytes that it takes in memory.
  package var byteCount: Int { 16 + MemoryLayout<Header>.size + recordsOffset + recordsLength }

  /// The tail; good as long as the image.
  @inlinable var tail: UnsafeMutableRawPointer {
    storage.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
  }

  @inlinable var nameOffset: Int { entryCount * MemoryLayout<Entry>.stride }
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

  /// The index, in byte order of the names.
  @inlinable package var entries: UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(start: tail.assumingMemoryBound(to: Entry.self), count: entryCount)
  }

  /// All records, one behind the other.
  @inlinable package var records: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset, count: recordsLength)
  }

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

// MARK: - The dirty mark, guarded by the shard's lock

extension TwinImage {
  package var dirtyEpoch: UInt64 { storage.header.dirtyEpoch }
  package var dirtySlot: Int { Int(storage.header.dirtySlot) }

  package func markDirty(epoch: UInt64, slot: Int) {
    storage.header.dirtyEpoch = epoch
    storage.header.dirtySlot = UInt32(slot)
  }
}
