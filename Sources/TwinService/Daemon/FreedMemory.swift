// Returns freed memory to the system after a peak.
//
// Buffers are many small blocks, and the allocator by itself returns only memory at the end of the heap. This is
// checked between checkpoints, on a thread that can afford the time.

import CLinux
import TTRPC

struct FreedMemory {
  /// At least this much must have been freed since the peak.
  private static let bytesMin = 16 << 20

  private let budget: BufferBudget
  private var peak = 0

  init(_ budget: BufferBudget) { self.budget = budget }

  /// Call it now and then.
  mutating func look() {
    let held = budget.byteCount
    peak = max(peak, held)
    guard peak - held >= Self.bytesMin else { return }
    peak = held
    _ = twind_trim_memory()
  }
}
