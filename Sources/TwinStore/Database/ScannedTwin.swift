// A row of twins as the scan at start sees it: checked, not decoded.

import TwinCore

struct ScannedTwin {
  let id: Int64
  /// Good until the next row.
  let name: UnsafeRawBufferPointer
  let isDeleted: Bool

  /// Nil when the body is not a twin's.
  init?(_ row: SQLiteRow) {
    guard let body = TwinBody(row.bytes(2)) else { return nil }
    id = row.number(0)
    name = row.bytes(1)
    isDeleted = body.isDeleted
  }
}
