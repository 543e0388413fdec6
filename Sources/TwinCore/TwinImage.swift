// A twin at rest: one buffer that holds its name, its attributes as they go on the wire, and an index.
//
//   header   revision, recordedAt, nextChangeTime, lengths and counts, deleted | the cache's marks
//   tail     +-----------------+-----------------+------+---+------------+---+----------+---------+
//            | index: current, | index: pending, | name | 0 | last agent | 0 | current  | pending |
//            | 16 B each       | 16 B each       |      |   |            |   | records  | records |
//            +-----------------+-----------------+------+---+------------+---+----------+---------+
//
// A record is a complete field: tag 0x1A, length, Attribute message. Concatenated, the current records that a sight shows are the
// `attributes` of a twind.v1.Twin, so that a read copies and never encodes. They are what counts from the moment the
// image was derived until nextChangeTime. Pending is whatever else can count after that: what begins later, what
// returns when something ends, and removals, which keep out older facts that come late. Removals beyond a limit are
// forgotten (TwinImage+Forgotten.swift).
//
// The image of a *change* holds one commit's facts about one twin as current records: attributes that were set,
// attributes without a value that were removed, or the one nameless record that deletes the twin. It is what the
// journal, the facts table and watches copy. A twin that begins with a change may be that change's image.
//
// What reads of a twin need is public: nothing that is `package` is inlined into another target.
//
// Promises: one allocation, immutable but for the cache's marks, which the lock of the twin's shard guards. A
// deleted twin is an image without records that keeps its revision.

public struct TwinImage: @unchecked Sendable {
  public struct Header {
    public var revision: UInt64
    public var recordedAt: Int64
    /// The earliest time at which time alone changes what counts; Int64.max = none.
    public var nextChangeTime: Int64 = .max
    /// The checkpoint epoch in whose dirty list the image stands, and its place there. 0 = none.
    public var dirtyEpoch: UInt64 = 0
    /// Number of the last change of the twin among its shard's.
    public var lastChange: UInt64 = 0
    /// Removals that hold from this time or an earlier one may be missing among the pending records: the facts have
    /// them. Int64.min = none is missing.
    public var forgottenThrough: Int64 = .min
    /// What the rules with that stamp say of the twin: Sight/Rules.swift. The sight of a reader is taken from it.
    public var rulesStamp: UInt64 = 0
    public var bits: UInt64 = 0
    public var dirtySlot: UInt32 = 0
    public var recordsLength: UInt32
    public var pendingLength: UInt32 = 0
    /// The classes of all current attributes together: a sight that shows them shows all.
    public var allClassBits: UInt32 = 0
    public var pendingCount: UInt32 = 0
    public var entryCount: UInt16
    public var nameLength: UInt16
    /// In the image of a change: the number of its first fact within the commit.
    public var firstOrdinal: UInt16 = 0
    public var kindIndex: UInt16 = 0
    public var agentLength: UInt8
    public var isDeleted: Bool
    /// Time alone has changed what counts since the last commit.
    public var isTurned = false
    /// In the image of a change: the twin did not exist before it.
    public var isCreation = false
    /// Was read since the cache last looked for twins to drop.
    public var isMarkedRead = false
  }

  public struct Flags: OptionSet, Equatable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Has no value: the attribute is not there.
    package static let removal = Flags(rawValue: 1)
    /// States valid_to_time.
    package static let bounded = Flags(rawValue: 2)
    /// In the image of a change: does not hold at the commit's time after it. About the past, where something newer
    /// stands, or about the future.
    package static let notCurrent = Flags(rawValue: 4)
  }

  /// Where one record lies, counted from the first record.
  public struct Entry: Equatable {
    public var offset: UInt32
    public var length: UInt32
    public var classBits: UInt32
    /// The name lies within the record: this many bytes from its start.
    public var nameStart: UInt8
    public var nameLength: UInt8
    public var flags: Flags
  }

  public typealias Storage = ManagedBuffer<Header, UInt8>
  public let storage: Storage

  @inlinable
  public init(storage: Storage) { self.storage = storage }

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
      pendingLength: UInt32(contents.pendingLength), pendingCount: UInt32(contents.pendingCount),
      entryCount: UInt16(contents.entryCount), nameLength: UInt16(name.count), agentLength: UInt8(agent.count),
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

  /// Good as long as the image. Swift checks every access to a class's property at run time; this is none.
  @inlinable var head: UnsafeMutablePointer<Header> { storage.withUnsafeMutablePointerToHeader { $0 } }
  @inlinable public var header: Header { head.pointee }
  @inlinable public var revision: UInt64 { head.pointee.revision }
  /// When the last commit was recorded, in microseconds since the epoch.
  @inlinable public var recordedAt: Int64 { head.pointee.recordedAt }
  @inlinable public var isDeleted: Bool { head.pointee.isDeleted }
  /// Time alone has changed what counts since the last commit.
  @inlinable public var isTurned: Bool { head.pointee.isTurned }
  @inlinable public var entryCount: Int { Int(head.pointee.entryCount) }
  @inlinable public var recordsLength: Int { Int(head.pointee.recordsLength) }

  /// The earliest time at which time alone changes what the current records are; Int64.max = none.
  @inlinable public var nextChangeTime: Int64 { head.pointee.nextChangeTime }
  package var forgottenThrough: Int64 { head.pointee.forgottenThrough }
  @inlinable public var pendingCount: Int { Int(head.pointee.pendingCount) }
  @inlinable public var pendingLength: Int { Int(head.pointee.pendingLength) }

  /// Bytes that it takes in memory.
  package var byteCount: Int { 16 + MemoryLayout<Header>.size + recordsOffset + recordsLength + pendingLength }

  /// The tail; good as long as the image.
  @inlinable var tail: UnsafeMutableRawPointer {
    storage.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
  }

  @inlinable var nameOffset: Int { (entryCount + pendingCount) * MemoryLayout<Entry>.stride }
  @inlinable var agentOffset: Int { nameOffset + Int(head.pointee.nameLength) + 1 }
  @inlinable var recordsOffset: Int { agentOffset + Int(head.pointee.agentLength) + 1 }

  /// Points into the image, like all that follows.
  @inlinable public var name: TwinName {
    TwinName(unchecked: UnsafeRawBufferPointer(start: tail + nameOffset, count: Int(head.pointee.nameLength)))
  }

  package var nameText: Text { text(at: nameOffset, Int(head.pointee.nameLength)) }

  /// The agent of the last commit.
  package var agent: Text { text(at: agentOffset, Int(head.pointee.agentLength)) }

  private func text(at offset: Int, _ length: Int) -> Text {
    Text(start: UnsafePointer((tail + offset).assumingMemoryBound(to: CChar.self)), count: length)
  }

  /// The index of the current records, in byte order of the names.
  @inlinable public var entries: UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(start: tail.assumingMemoryBound(to: Entry.self), count: entryCount)
  }

  /// The index of the pending records, by name, then in the order of recording.
  package var pendingEntries: UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(start: tail.assumingMemoryBound(to: Entry.self) + entryCount, count: pendingCount)
  }

  /// All current records, one behind the other.
  @inlinable public var records: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset, count: recordsLength)
  }

  /// All pending records, one behind the other.
  package var pendingRecords: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset + recordsLength, count: pendingLength)
  }

  /// A current or pending record.
  @inlinable public func record(_ entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: tail + recordsOffset + Int(entry.offset), count: Int(entry.length))
  }

  @inlinable public func name(_ entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: tail + recordsOffset + Int(entry.offset) + Int(entry.nameStart), count: Int(entry.nameLength))
  }

  /// Whether the two are one object.
  @inlinable public func isSame(as other: TwinImage) -> Bool { storage === other.storage }
}

// MARK: - The cache's marks, guarded by the shard's lock

extension TwinImage {
  package var dirtyEpoch: UInt64 { head.pointee.dirtyEpoch }
  package var dirtySlot: Int { Int(head.pointee.dirtySlot) }

  package func markDirty(epoch: UInt64, slot: Int) {
    head.pointee.dirtyEpoch = epoch
    head.pointee.dirtySlot = UInt32(slot)
  }

  /// Number of the last change of the twin among its shard's; 0 = none since the twin was read from the database.
  package var lastChange: UInt64 { head.pointee.lastChange }
  package func markChanged(_ number: UInt64) { head.pointee.lastChange = number }

  package var isMarkedRead: Bool { head.pointee.isMarkedRead }
  /// Most images that are read have the mark: their memory stays as it is.
  @inlinable public func markRead() {
    if !head.pointee.isMarkedRead { head.pointee.isMarkedRead = true }
  }
  package func unmarkRead() { head.pointee.isMarkedRead = false }
}
