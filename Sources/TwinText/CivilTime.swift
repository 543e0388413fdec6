// Converts between dates in the proleptic Gregorian calendar and microseconds since the Unix epoch.

/// A date and time of day without an offset.
struct CivilTime: Equatable {
  var year: Int64
  var month: Int64
  var day: Int64
  var hour: Int64 = 0
  var minute: Int64 = 0
  var second: Int64 = 0
  var micros: Int64 = 0

  init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Accepts any number of microseconds.
  init(micros total: Int64) {
    let (days, rest) = Self.divide(total, by: 86_400_000_000)
    // Days since 1 March of the year 0, in cycles of 400 years of 146,097 days each: a leap day ends its year.
    let (cycle, dayOfCycle) = Self.divide(days + 719_468, by: 146_097)
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    hour = rest / 3_600_000_000
    minute = rest / 60_000_000 % 60
    second = rest / 1_000_000 % 60
    micros = rest % 1_000_000
  }

  /// Years must be within ±10,000, so that nothing overflows.
  var totalMicros: Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let (cycle, yearOfCycle) = Self.divide(marchYear, by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
    let days = cycle * 146_097 + dayOfCycle - 719_468
    return ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + micros
  }

  /// The month has this day.
  var isDate: Bool {
    guard (1...12).contains(month) else { return false }
    let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days: [Int64] = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[Int(month - 1)]).contains(day)
  }

  /// Rounds down, so that times before the epoch get the right date.
  private static func divide(_ number: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let remainder = number % divisor
    return remainder < 0 ? (number / divisor - 1, remainder + divisor) : (number / divisor, remainder)
  }
}
