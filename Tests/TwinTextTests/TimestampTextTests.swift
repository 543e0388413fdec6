// Timestamps in RFC 3339, exact in both directions.

import Testing
import TwinText

@Suite struct TimestampTextTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01", 0), ("1969-12-31T23:59:59.999999Z", -1),
    ("2026-01-01T00:00:00Z", 1_767_225_600_000_000), ("2026-01-01T01:30:00+01:30", 1_767_225_600_000_000),
    ("2025-12-31T19:00:00-05:00", 1_767_225_600_000_000), ("2026-01-01 00:00", 1_767_225_600_000_000),
    ("2026-01-01t00:00:00z", 1_767_225_600_000_000), ("2024-02-29T12:00:00.5Z", 1_709_208_000_500_000),
    ("2000-02-29", 951_782_400_000_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ("2026-01-01T00:00:00.1234567Z", 1_767_225_600_123_456), ("2026-01-01T00:00:00.999999999Z", 1_767_225_600_999_999),
    ("2016-12-31T23:59:60Z", 1_483_228_800_000_000), ("2017-01-01T01:59:60+02:00", 1_483_228_800_000_000),
  ])
  func parses(_ text: String, _ micros: Int64) {
    #expect(TimestampText.parse(text) == micros)
  }

  @Test(arguments: [
    "", "2026", "2026-1-1", "2026-13-01", "2026-00-10", "2026-02-29", "1900-02-29", "2026-04-31", "2026-01-01T",
    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
    "2026-01-01T00:59:61Z", "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00Zx", "19970101",
    "+026-01-01", "2026-01-01T00:00:00 Z", "２026-01-01",
  ])
  func refuses(_ text: String) {
    #expect(TimestampText.parse(text) == nil)
  }

  @Test func writesWhatItReads() {
    var micros: Int64 = -62_167_219_200_000_000
    while micros < 253_402_300_800_000_000 {
      let text = TimestampText.utc(micros)
      #expect(text.flatMap(TimestampText.parse) == micros, "\(micros)")
      micros += 9_876_543_210_987
    }
  }

  @Test(arguments: [Int64.min, -62_167_219_200_000_001, 253_402_300_800_000_000, .max])
  func hasNoTextOutsideOfFourDigitYears(_ micros: Int64) {
    #expect(TimestampText.utc(micros) == nil)
    #expect(TimestampText.local(micros) == "\(micros) µs")
  }

  @Test func writesOnlyTheFractionThatThereIs() {
    #expect(TimestampText.utc(0) == "1970-01-01T00:00:00Z")
    #expect(TimestampText.utc(20_000) == "1970-01-01T00:00:00.020Z")
    #expect(TimestampText.utc(20_001) == "1970-01-01T00:00:00.020001Z")
  }

  @Test func localTimeIsTheSameMoment() {
    let text = TimestampText.local(1_767_225_600_000_001)
    #expect(TimestampText.parse(text) == 1_767_225_600_000_001)
  }
}
