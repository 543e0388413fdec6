// A row of idempotency keys as the scan at start sees it: checked, its result not decoded.

import TwinCore

struct ScannedKey {
  let id: Int64
  /// Both good until the next row.
  let scope: UnsafeRawBufferPointer
  let agent: UnsafeRawBufferPointer
  let recordedAt: Int64

  /// Nil when the row cannot be what was written.
  init?(_ row: SQLiteRow) {
    id = row.number(0)
    scope = row.bytes(1)
    recordedAt = row.number(3)
    guard id > 0, id < Int64(Limits.sequenceMax), let agent = IdempotencyTable.Scope.agent(in: scope) else {
      return nil
    }
    self.agent = agent
  }
}
