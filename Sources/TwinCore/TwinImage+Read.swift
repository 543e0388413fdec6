// Reading a twin: find an attribute, or copy the records that a caller asked for and may see.
//
// Promises: allocates nothing. When all is asked for and all is permitted the records are copied at once.

extension TwinImage {
  /// An attribute by its name.
  package func find(_ name: UnsafeRawBufferPointer) -> Entry? {
    let entries = entries
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      let order = compareBytes(self.name(entries[middle]), name)
      if order == 0 { return entries[middle] }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The encoded Attribute message of an entry, without tag and length.
  func message(_ entry: Entry) -> UnsafeRawBufferPointer {
    // The message begins with its name's tag and length.
    let start = Int(entry.nameStart) - 2
    return record(entry).part(start, Int(entry.length) - start)
  }

  /// Whether `permit` and `mask` leave nothing out.
  @inlinable
  package func showsAll(_ mask: AttributeMask, _ permit: Permit) -> Bool {
    mask.isAll && (permit.shows(storage.header.commonClassBits) || storage.header.entryCount == 0)
  }

  /// Bytes that `writeRecords` will write.
  package func recordsSize(_ mask: AttributeMask, _ permit: Permit) -> Int {
    if showsAll(mask, permit) { return recordsLength }
    var size = 0
    for entry in entries where permit.shows(entry.classBits) && mask.covers(name(entry)) {
      size += Int(entry.length)
    }
    return size
  }

  /// Copies the records asked for and permitted, and returns the place behind them. `place` has room for
  /// `recordsSize` bytes.
  @discardableResult
  package func writeRecords(
    _ mask: AttributeMask, _ permit: Permit, to place: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if showsAll(mask, permit) {
      place.copyMemory(from: tail + recordsOffset, byteCount: recordsLength)
      return place + recordsLength
    }
    var place = place
    for entry in entries where permit.shows(entry.classBits) && mask.covers(name(entry)) {
      place.copyMemory(from: tail + recordsOffset + Int(entry.offset), byteCount: Int(entry.length))
      place += Int(entry.length)
    }
    return place
  }

  /// The attributes that were asked for and are withheld.
  package func forEachWithheld(
    _ mask: AttributeMask, _ permit: Permit, _ body: (_ name: UnsafeRawBufferPointer) -> Void
  ) {
    if permit.shows(storage.header.commonClassBits) { return }
    for entry in entries where !permit.shows(entry.classBits) && mask.covers(name(entry)) {
      body(name(entry))
    }
  }
}
