// Filling a new image: records are appended in name order, each with its entry in the index.
//
// Promises: an image leaves the writer full, or the process stops: sizes are computed by the caller, never
// by whoever sent the bytes.

extension TwinImage {
  struct Writer {
    let image: TwinImage
    private var count = 0
    private var offset = 0
    private var common: UInt32 = ~0

    init(_ image: TwinImage) { self.image = image }

    /// Where the next record goes.
    var place: UnsafeMutableRawPointer { image.tail + image.recordsOffset + offset }

    /// Notes a record of `length` bytes at `place`, its name `nameStart` bytes from there.
    mutating func note(length: Int, nameStart: Int, nameLength: Int, classBits: UInt32) {
      precondition(count < image.entryCount && length <= image.recordsLength - offset, "image overflows")
      let entry = Entry(
        offset: UInt32(offset), length: UInt32(length), classBits: classBits, nameStart: UInt8(nameStart),
        nameLength: UInt8(nameLength))
      (image.tail + count * MemoryLayout<Entry>.stride).storeBytes(of: entry, as: Entry.self)
      count += 1
      offset += length
      common &= classBits
    }

    /// Copies a record from another image.
    mutating func copy(_ entry: Entry, of other: TwinImage) {
      precondition(Int(entry.length) <= image.recordsLength - offset, "image overflows")
      place.copyMemory(from: other.record(entry).baseAddress!, byteCount: Int(entry.length))
      note(
        length: Int(entry.length), nameStart: Int(entry.nameStart), nameLength: Int(entry.nameLength),
        classBits: entry.classBits)
    }

    /// Encodes a fact: the attribute it sets, or, in the image of a change, the name it removes.
    mutating func encode(_ fact: Fact, of commit: Commit) {
      precondition(fact.recordSize <= image.recordsLength - offset, "image overflows")
      let nameStart = fact.write(to: place, of: commit)
      note(
        length: fact.recordSize, nameStart: nameStart, nameLength: fact.attribute.count, classBits: fact.classBits)
    }

    func finish() -> TwinImage {
      precondition(count == image.entryCount && offset == image.recordsLength, "image is not full")
      image.storage.header.commonClassBits = common
      return image
    }
  }
}
