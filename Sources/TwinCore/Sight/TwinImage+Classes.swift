// Classes of attributes in an image: set by the rules when the image is put into the cache, or copied when new rules
// come.

extension TwinImage {
  /// The rules that set the classes; 0: none have.
  @inlinable public var rulesStamp: UInt64 { head.pointee.rulesStamp }
  /// What the rules say of this twin, see `Rules.bits`.
  @inlinable public var bits: UInt64 { head.pointee.bits }
  @inlinable public var kindIndex: UInt16 { head.pointee.kindIndex }

  /// Sets the classes of an image that nobody else has yet.
  ///
  /// - Parameter twin: of the image of a change, the twin after it.
  package func classify(by rules: Rules, as twin: TwinImage? = nil) {
    let kindIndex = rules.kindIndex(of: name)
    head.pointee.kindIndex = UInt16(kindIndex)
    head.pointee.bits = twin?.bits ?? rules.bits(of: self, kindIndex: kindIndex)
    head.pointee.rulesStamp = rules.stamp
    head.pointee.allClassBits = 0
    let index = tail.assumingMemoryBound(to: Entry.self)
    for place in 0..<(entryCount + pendingCount) {
      index[place].classBits = rules.classBits(of: name(index[place]), kindIndex: kindIndex)
      if place < entryCount { head.pointee.allClassBits |= index[place].classBits }
    }
  }

  /// The image with classes set by these rules: itself when it has them already, else a copy.
  ///
  /// - Parameter twin: of the image of a change, the twin as it is now.
  package func classified(by rules: Rules, as twin: TwinImage? = nil) -> TwinImage {
    if rulesStamp == rules.stamp { return self }
    let byteCount = recordsOffset + recordsLength + pendingLength
    let copy = TwinImage(storage: Storage.create(minimumCapacity: byteCount) { [header] _ in header })
    copy.tail.copyMemory(from: tail, byteCount: byteCount)
    copy.classify(by: rules, as: twin)
    return copy
  }
}
