// A row of idempotency keys as the scan at start sees it: checked, its result not decoded.

import GRDB
import TwinCore

struct ScannedKey {
  let id: Int64
  /// Both good until the next row.
  let scope: UnsafeRawBufferPointer
  let agent: UnsafeRawBufferPointer
  let recordedAt: Int64
  let checksum: UInt32

  /// A row of `KeyRow.columns`; nil when it cannot be what was written.
  init?(_ statement: SQLiteStatement) {
    let row = SQLiteRow(statement)
    id = row.number(0)
    scope = row.bytes(1)
    recordedAt = row.number(3)
    // As KeyRow computes it, without its arrays.
    var sum = RowChecksum(.idempotency)
    sum.add(id)
    sum.add(scope)
    sum.add(row.number(2))
    sum.add(recordedAt)
    sum.add(row.bytes(4))
    checksum = sum.value
    guard Int64(checksum) == row.number(5), id > 0, id < Int64(Limits.sequenceMax),
      let agent = IdempotencyTable.Scope.agent(in: scope)
    else { return nil }
    self.agent = agent
  }
}
