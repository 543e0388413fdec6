// Reading a twin: find an attribute, or copy the records that a caller asked for and that its sight shows. Of the current records
// only; what is pending no reader sees.
//
// Promises: allocates nothing. When all is asked for and all is shown, the records are copied at once.

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

  /// Attributes that have a value now, or will have one by time alone.
  package var attributeCount: Int {
    var count = entryCount
    var last: Entry?
    for entry in pendingEntries where !entry.flags.contains(.removal) {
      let isNew = last.map { !equalBytes(name($0), name(entry)) } ?? true
      if isNew && find(name(entry)) == nil { count += 1 }
      last = entry
    }
    return count
  }

  /// The encoded Attribute message of an entry, without tag and length.
  package func message(_ entry: Entry) -> UnsafeRawBufferPointer {
    // The message begins with its name's tag and length.
    let start = Int(entry.nameStart) - 2
    return record(entry).part(start, Int(entry.length) - start)
  }

  /// An entry's record, looked into. All records of an image were checked when they were made or read.
  package func attribute(_ entry: Entry) -> AttributeRecord {
    do {
      return try AttributeRecord(message(entry))
    } catch {
      preconditionFailure("an image holds a malformed record")
    }
  }

  /// The records of one attribute, current and pending, in the order of their recording.
  func facts(of name: UnsafeRawBufferPointer) -> [AttributeRecord] {
    var facts: [AttributeRecord] = []
    if pendingCount > 0 {
      let pending = pendingEntries
      var low = 0
      var high = pending.count
      while low < high {
        let middle = (low + high) / 2
        if compareBytes(self.name(pending[middle]), name) < 0 { low = middle + 1 } else { high = middle }
      }
      while low < pending.count, equalBytes(self.name(pending[low]), name) {
        facts.append(attribute(pending[low]))
        low += 1
      }
    }
    if let entry = find(name) {
      let current = attribute(entry)
      facts.insert(current, at: facts.firstIndex { $0.sequence > current.sequence } ?? facts.count)
    }
    return facts
  }

  /// Whether `mask` and `sight` leave nothing out.
  @inlinable
  public func showsAll(_ mask: AttributeMask, _ sight: Sight) -> Bool {
    mask.isAll && sight.shows(head.pointee.allClassBits)
  }

  /// Bytes that `writeRecords` will write.
  @inlinable
  public func recordsSize(_ mask: AttributeMask, _ sight: Sight) -> Int {
    if showsAll(mask, sight) { return recordsLength }
    var size = 0
    for entry in entries where sight.shows(entry.classBits) && mask.covers(name(entry)) {
      size += Int(entry.length)
    }
    return size
  }

  /// Copies the records asked for and shown, and returns the place behind them. `place` has room for
  /// `recordsSize` bytes.
  @discardableResult @inlinable
  public func writeRecords(
    _ mask: AttributeMask, _ sight: Sight, to place: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if showsAll(mask, sight) {
      place.copyMemory(from: tail + recordsOffset, byteCount: recordsLength)
      return place + recordsLength
    }
    var place = place
    for entry in entries where sight.shows(entry.classBits) && mask.covers(name(entry)) {
      place.copyMemory(from: tail + recordsOffset + Int(entry.offset), byteCount: Int(entry.length))
      place += Int(entry.length)
    }
    return place
  }

  /// The attributes that were asked for and are withheld.
  @inlinable
  public func forEachWithheld(
    _ mask: AttributeMask, _ sight: Sight, _ body: (_ name: UnsafeRawBufferPointer) -> Void
  ) {
    if sight.shows(head.pointee.allClassBits) { return }
    for entry in entries where !sight.shows(entry.classBits) && mask.covers(name(entry)) {
      body(name(entry))
    }
  }

  /// The attributes that were asked for and of which only pending records are withheld.
  package func forEachWithheldPending(
    _ mask: AttributeMask, _ sight: Sight, _ body: (_ name: UnsafeRawBufferPointer) -> Void
  ) {
    var last: Entry?
    for entry in pendingEntries where !sight.shows(entry.classBits) && mask.covers(name(entry)) {
      let isNew = last.map { !equalBytes(name($0), name(entry)) } ?? true
      if isNew && find(name(entry)) == nil { body(name(entry)) }
      last = entry
    }
  }
}
