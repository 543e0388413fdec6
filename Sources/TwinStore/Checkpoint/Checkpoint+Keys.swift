// A checkpoint's part with idempotency keys: those that are not written, last, and afterwards those that have expired.
//
// Promises: in transactions of bounded size, in the order of the writes. A key can be found in memory until the database
// has it. The last transaction states the checkpoint's sequence. An expired key that is not dropped yet does no harm but
// to the count of its agent.

import TwinCore

extension Store {
  func writeKeys(of capture: CommitSection.Capture) throws(StoreError) {
    var rest = capture.keys[...]
    var sliceCount = 0
    while rest.count > options.slices.keysMax {
      let slice = rest.prefix(options.slices.keysMax)
      section.moveKeys(slice.count, dropped: try database.write(keys: slice))
      rest = rest.dropFirst(slice.count)
      try copyLog(after: &sliceCount)
    }
    let dropped = try database.write(keys: rest) { row in
      row.appliedSequence = capture.sequence
      row.recordedAt = max(row.recordedAt, capture.recordedAt)
      row.jumps = capture.jumps
    }
    section.moveKeys(rest.count, dropped: dropped)
  }

  /// Under `checkpoints.running`, after a checkpoint is written.
  func dropExpiredKeys() throws(StoreError) {
    let now = self.now
    clock.reach(now)
    let time = now.subtractingClamped(Limits.idempotencyAgeMicrosMax)
    var sliceCount = 0
    for _ in 0..<options.slices.keyDropsMax {
      let dropped = try database.dropKeys(recordedBy: time, countMax: options.slices.keysMax)
      section.forgetKeys(dropped)
      if dropped.count < options.slices.keysMax { break }
      try copyLog(after: &sliceCount)
    }
  }

  private func copyLog(after sliceCount: inout Int) throws(StoreError) {
    sliceCount += 1
    if sliceCount % options.slices.perCopy == 0 { _ = try database.checkpointLog() }
  }
}
