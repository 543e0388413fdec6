// Gives memory back to the system after much of it was in use for a while.
//
// Buffers are many small blocks: freed, they stay with the process, since the allocator gives back only what lies at an
// end. Looked at between checkpoints, on a thread that may take its time.

import CLinux
import TTRPC

struct FreedMemory {
  /// So much must have been freed since the most that was seen.
  private static let bytesMin = 16 << 20

  private let budget: BufferBudget
  private var peak = 0

  init(_ budget: BufferBudget) { self.budget = budget }

  /// To be called now and then.
  mutating func look() {
    let held = budget.byteCount
    peak = max(peak, held)
    guard peak - held >= Self.bytesMin else { return }
    peak = held
    _ = twind_trim_memory()
  }
}
