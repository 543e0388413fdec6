// Times in messages for people.

import Glibc

/// RFC 3339 in UTC, exact; outside of the years 0 to 9999, which that cannot write, the number of microseconds.
package func instant(_ micros: Int64) -> String {
  let part = micros % 1_000_000
  var seconds = time_t(micros / 1_000_000 - (part < 0 ? 1 : 0))
  var time = tm()
  guard gmtime_r(&seconds, &time) != nil, (0...9999).contains(time.tm_year + 1900) else { return "\(micros) µs" }
  func padded(_ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
  let date = "\(padded(Int(time.tm_year) + 1900, 4))-\(padded(Int(time.tm_mon) + 1, 2))-\(padded(Int(time.tm_mday), 2))"
  let clock = [time.tm_hour, time.tm_min, time.tm_sec].map { padded(Int($0), 2) }.joined(separator: ":")
  let fraction = Int(part < 0 ? part + 1_000_000 : part)
  if fraction == 0 { return "\(date)T\(clock)Z" }
  return "\(date)T\(clock).\(fraction % 1_000 == 0 ? padded(fraction / 1_000, 3) : padded(fraction, 6))Z"
}
