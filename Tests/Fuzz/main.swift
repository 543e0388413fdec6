// twind-fuzz-frames [--seed N] [--sequences N]: random and mutated frame sequences against a server session.
//
// Promises checked for every sequence, whatever the bytes: nothing traps; a unary or client-streaming id is answered at
// most once; nothing but an INVALID_ARGUMENT, or the answer to an over-long frame, goes to an id that was never opened; at
// most `streamsPerConnectionMax` calls are open; the session still answers a good call afterwards unless it is closing.
// A failure prints the seed that repeats it. Called by Tests/run.sh.

import Glibc

func number(after name: String, default value: UInt64) -> UInt64 {
  let arguments = CommandLine.arguments
  guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return value }
  guard let number = UInt64(arguments[index + 1]) else {
    print("\(name) takes a whole number: \(arguments[index + 1])")
    exit(2)
  }
  return number
}

let first = number(after: "--seed", default: 1)
let count = number(after: "--sequences", default: 20_000)
var frames = 0
for seed in first..<first + count {
  var sequence = FrameSequence(seed: seed)
  do {
    frames += try sequence.run()
  } catch {
    print("seed \(seed): \(error): repeat with --seed \(seed) --sequences 1")
    exit(1)
  }
}
print("\(count) sequences of \(frames) frames from seed \(first): no fault")
