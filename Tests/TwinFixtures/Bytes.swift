// Strings as the views that the core takes, for the time of a call.

import TwinCore

/// Runs `body` on the string's bytes.
package func withBytes<R, E: Error>(
  _ string: String, _ body: (UnsafeRawBufferPointer) throws(E) -> R
) throws(E) -> R {
  try withBytes(Array(string.utf8), body)
}

package func withBytes<R, E: Error>(
  _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(E) -> R
) throws(E) -> R {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { copy.deallocate() }
  copy.copyBytes(from: bytes)
  return try body(UnsafeRawBufferPointer(copy))
}

extension TwinImage {
  /// The attributes as protobuf-c reads them.
  package var unpacked: [UnpackedAttribute]? { unpackTwin(Array(records)) }

  /// What it keeps for later.
  package var unpackedPending: [UnpackedAttribute]? { unpackTwin(Array(pendingRecords)) }

  /// Whether the two hold the same, byte for byte and in their indexes.
  package func isIdentical(to other: TwinImage) -> Bool {
    name == other.name && Array(agent.bytes) == Array(other.agent.bytes) && revision == other.revision
      && recordedAt == other.recordedAt && isDeleted == other.isDeleted && nextChangeTime == other.nextChangeTime
      && header.allClassBits == other.header.allClassBits && entries.elementsEqual(other.entries)
      && pendingEntries.elementsEqual(other.pendingEntries) && records.elementsEqual(other.records)
      && pendingRecords.elementsEqual(other.pendingRecords)
  }

  /// One attribute's value.
  package func value(_ name: String) -> Literal? { unpacked?.first { $0.name == name }?.value }
}
