// Times as files have them.

import Testing
import TwinText

@Suite struct TimeFormatTests {
  @Test(arguments: [
    ("unix", "1772359200", "2026-03-01T10:00:00Z"), ("unix", "1772359200.25", "2026-03-01T10:00:00.250Z"),
    ("unix", "-1", "1969-12-31T23:59:59Z"), ("unix-ms", "1772359200001", "2026-03-01T10:00:00.001Z"),
    ("unix-us", "1772359200000001", "2026-03-01T10:00:00.000001Z"),
    ("%d.%m.%Y", "01.03.2026", "2026-03-01T00:00:00Z"), ("%d.%m.%Y", "1.3.2026", "2026-03-01T00:00:00Z"),
    ("%m/%d/%y %I:%M %p", "3/1/26 10:05 pm", "2026-03-01T22:05:00Z"),
    ("%m/%d/%y %I:%M%p", "12/31/69 12:00AM", "1969-12-31T00:00:00Z"),
    ("%d %b %Y %T.%f %z", "01 Mar 2026 10:00:00.5 +0130", "2026-03-01T08:30:00.500Z"),
    ("%d-%b-%Y", "01-SEPTEMBER-2026", "2026-09-01T00:00:00Z"),
    ("%FT%T%z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
    ("%Y%m%d%H%M%S", "20260301100000", "2026-03-01T10:00:00Z"), ("%F%%%H", "2026-03-01%7", "2026-03-01T07:00:00Z"),
    ("%F  %H", "2026-03-01 7", "2026-03-01T07:00:00Z"),
    ("%F %T %z", "2026-03-01 10:00:00 -02:00", "2026-03-01T12:00:00Z"),
    ("%F %T.%f", "2026-03-01 10:00:00.123456789", "2026-03-01T10:00:00.123456Z"),
  ])
  func parses(_ format: String, _ text: String, _ expected: String) throws {
    #expect(try TimeFormat(format).parse(text).flatMap(TimestampText.utc) == expected)
  }

  @Test(arguments: [
    ("unix", "soon"), ("unix", "9223372036854775807"), ("unix", "1e3"), ("unix", ""), ("%d.%m.%Y", "31.02.2026"),
    ("%d.%m.%Y", "2026-03-01"), ("%d.%m.%Y", "01.03.2026 10:00"), ("%d.%m.%Y", ""), ("%F %T", "2026-03-01 24:00:00"),
    ("%F %I %p", "2026-03-01 13 pm"), ("%d %b %Y", "1 Mrz 2026"), ("%F %z", "2026-03-01 CET"),
    ("%F %M", "2026-03-01 60"),
  ])
  func refuses(_ format: String, _ text: String) throws { #expect(try TimeFormat(format).parse(text) == nil) }

  @Test(arguments: [
    ("%H:%M", "has no year"), ("%Y-%m", "has no day"), ("%Y %d", "has no month"), ("%d.%m.%Q", "is not a time format"),
    ("ISO", "has no year"), ("%F %", "is not a time format"), ("", "has no year"),
  ])
  func wrongFormats(_ format: String, _ reason: String) {
    #expect {
      try TimeFormat(format)
    } throws: { error in
      "\(error)".contains(reason) && "\(error)".contains("unix-ms")
    }
  }
}
