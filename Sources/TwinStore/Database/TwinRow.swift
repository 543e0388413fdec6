// One row of the table of twins: an image, and what the database knows of its facts.

import Foundation
import GRDB
import TwinCore

package struct TwinRow {
  let id: Int64
  let image: TwinImage
  /// From when on all facts are kept, microseconds since the epoch; Int64.min = all there ever were.
  var factsFrom = Int64.min
  package var factCount: Int64 = 0
  /// XOR of the checksums of its facts.
  package var factDigest: UInt32 = 0
  /// As it was read; nil = this row was not read.
  private(set) var checksum: UInt32?

  init(id: Int64, image: TwinImage) {
    self.id = id
    self.image = image
  }

  /// A row with all columns of the table. Throws a reason when it cannot be what was written.
  package init(_ row: Row) throws {
    let (id, checksum) = try StoreTable.twins.checked(row)
    self.id = id
    self.checksum = checksum
    (image, factsFrom, factCount, factDigest) = try bytes(row, 1) { name in
      try bytes(row, 2) { bytes in
        guard let body = TwinBody(bytes) else { throw RowFault("its body is not a twin's") }
        return (try body.image(named: name), body.factsFrom, body.factCount, body.factDigest)
      }
    }
  }

  /// Puts the row in the place of the one with the same number, or name, and returns its checksum.
  func write(_ db: GRDB.Database) throws -> UInt32 {
    let body = TwinBody(image, factsFrom: factsFrom, factCount: factCount, factDigest: factDigest)
    return try withUnsafeTemporaryAllocation(byteCount: body.byteCount, alignment: 8) { bytes in
      body.encode(into: bytes)
      var row = try RowWriter(db, .twins, id: id, replaces: true)
      row.add(image.name.bytes)
      row.add(UnsafeRawBufferPointer(bytes))
      return try row.write()
    }
  }

  /// Puts the row in the place of this one, which was read.
  package func replace(_ next: TwinRow, _ db: GRDB.Database, _ sum: inout TableSum) throws {
    guard let checksum else { preconditionFailure("only a row that was read can be replaced") }
    sum.replace(checksum, with: try next.write(db))
  }
}

/// Lends a blob; an empty one when it is missing.
func bytes<R>(_ row: Row, _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
  try row.withUnsafeData(atIndex: column) { data in try (data ?? Data()).withUnsafeBytes(body) }
}
