// Times on the command line.

import ArgumentParser
import Glibc
import TwinText

/// Microseconds since the Unix epoch. Options that take a time must also be listed in OffsetArguments.
@Sendable
func momentArgument(_ text: String) throws -> Int64 {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  let micros = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
  guard let moment = MomentText.parse(text, now: micros) else {
    throw ValidationError("\(text.excerpt()) is not a time: write \(MomentText.forms)")
  }
  // On the wire 0 stands for a time that is not stated.
  if moment == 0 {
    throw ValidationError(
      "\(text.excerpt()) is the Unix epoch itself, which is not supported: write a microsecond later")
  }
  return moment
}
