// A row of twins as the scan at start sees it: checked, not decoded.

import GRDB
import TwinCore

struct ScannedTwin {
  let id: Int64
  /// Good until the next row.
  let name: UnsafeRawBufferPointer
  let revision: Int64
  let isDeleted: Bool
  let checksum: UInt32

  /// A row of `TwinRow.columns`; nil when its checksum does not fit.
  init?(_ statement: SQLiteStatement) {
    let row = SQLiteRow(statement)
    id = row.number(0)
    name = row.bytes(1)
    revision = row.number(2)
    isDeleted = row.number(5) != 0
    // As TwinRow computes it, without its arrays.
    var sum = RowChecksum(.twins)
    sum.add((id, revision, row.number(3), row.number(5), row.number(8), row.number(9), row.number(10)))
    sum.add(name)
    sum.add(row.bytes(4))
    sum.add(row.bytes(6))
    sum.add(row.bytes(7))
    checksum = sum.value
    if Int64(checksum) != row.number(11) { return nil }
  }
}
