// twind-hot-path [read|update] [--calls N] [--in-flight N] [--purpose TEXT] [--hide ATTRIBUTE]: what one call costs,
// counted and not timed.
//
// A whole server on a socket and a lean C client of it in one process without any other work, so that the allocations of
// all threads and, under a tool that counts instructions, those too are the calls'. Prints how many blocks were allocated
// while the calls ran. Called by Tests/System/test_hot_path.py.

import CAllocations
import Foundation

func text(_ name: String) -> String {
  let arguments = CommandLine.arguments
  guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return "" }
  return arguments[index + 1]
}

let calls = Int(text("--calls")) ?? 10_000
let subject = try HotPath(
  isWriting: CommandLine.arguments.contains("update"), inFlight: Int(text("--in-flight")) ?? 1,
  purpose: text("--purpose"), hidden: text("--hide"))
defer { subject.remove() }
// All that is made once is made now: buffers, the table's room, the journal's segment.
try subject.run(calls: 2_000)
let before = allocation_count()
try subject.run(calls: calls)
print(allocation_count() - before)
