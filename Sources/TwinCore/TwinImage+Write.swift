// Filling a new image: current records in name order, then pending ones, each with its entry in the index.
//
// Promises: an image leaves the writer full, or the process stops: sizes are computed by the caller, never
// by whoever sent the bytes.

extension TwinImage {
  struct Writer {
    let image: TwinImage
    private let countMax: Int
    private let lengthMax: Int
    private var count = 0
    private var offset = 0
    private var allClassBits: UInt32 = 0

    init(_ image: TwinImage) {
      self.image = image
      countMax = image.entryCount + image.pendingCount
      lengthMax = image.recordsLength + image.pendingLength
    }

    /// Where the next record goes.
    private var place: UnsafeMutableRawPointer { image.tail + image.recordsOffset + offset }

    /// Notes the entry of the record at `place`.
    private mutating func note(_ entry: Entry) {
      var entry = entry
      entry.offset = UInt32(offset)
      (image.tail + count * MemoryLayout<Entry>.stride).storeBytes(of: entry, as: Entry.self)
      if count < image.entryCount { allClassBits |= entry.classBits }
      count += 1
      offset += Int(entry.length)
    }

    /// Copies a record that another image, or a disk, holds; `entry` describes it.
    mutating func copy(_ record: UnsafeRawBufferPointer, _ entry: Entry) {
      precondition(count < countMax && record.count <= lengthMax - offset, "image overflows")
      if let start = record.baseAddress { place.copyMemory(from: start, byteCount: record.count) }
      note(entry)
    }

    /// Encodes a fact.
    mutating func encode(_ fact: Fact, of commit: Commit) {
      precondition(count < countMax && fact.recordSize <= lengthMax - offset, "image overflows")
      let nameStart = fact.write(to: place, of: commit)
      note(
        Entry(
          offset: 0, length: UInt32(fact.recordSize), classBits: fact.classBits, nameStart: UInt8(nameStart),
          nameLength: UInt8(fact.attribute.count), flags: fact.flags))
    }

    /// Writes a record of an Attribute that has a name.
    mutating func frame(_ attribute: AttributeRecord) {
      let message = attribute.message
      let length = 1 + varintSize(message.count) + message.count
      precondition(count < countMax && length <= lengthMax - offset, "image overflows")
      place.storeBytes(of: Fact.recordTag, as: UInt8.self)
      let body = writeVarint(message.count, to: place + 1)
      if let start = message.baseAddress { body.copyMemory(from: start, byteCount: message.count) }
      note(
        Entry(
          offset: 0, length: UInt32(length), classBits: Sight.ordinaryClass, nameStart: UInt8(body - place + 2),
          nameLength: UInt8(attribute.name.count), flags: attribute.flags))
    }

    func finish(nextChangeTime: Int64 = .max) -> TwinImage {
      precondition(count == countMax && offset == lengthMax, "image is not full")
      image.storage.header.allClassBits = allClassBits
      image.storage.header.nextChangeTime = nextChangeTime
      return image
    }
  }

  /// Marks an entry of a new change as one that does not hold at the commit's time.
  func markNotCurrent(_ index: Int) {
    let entry = tail.assumingMemoryBound(to: Entry.self) + index
    entry.pointee.flags.insert(.notCurrent)
  }
}
