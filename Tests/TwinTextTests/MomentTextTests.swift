import Testing
import TwinText

@Suite struct MomentTextTests {
  private let now: Int64 = 1_700_000_000_000_000

  @Test(arguments: [
    ("now", 0), ("-2h", -7_200), ("+2h", 7_200), ("-90s", -90), ("-5m", -300), ("+1d12h", 129_600), ("-1w", -604_800),
    ("-1h1h", -7_200), ("-0s", 0),
  ])
  func offsetsFromNow(_ text: String, _ seconds: Int64) {
    #expect(MomentText.parse(text, now: now) == now + seconds * 1_000_000)
  }

  @Test func timestampsAndDates() {
    #expect(MomentText.parse("1970-01-02", now: now) == 86_400_000_000)
    #expect(MomentText.parse("1970-01-01T00:00:01+01:00", now: now) == -3_599_000_000)
  }

  @Test(arguments: [
    "", "-", "+", "2h", "-2", "-h", "-2x", "-2h3", "- 2h", "-2H", "-1.5h", "--2h", "yesterday", "Now",
    "-٣h", "-9223372036854775807w", "-99999999999999999999s", "-9223372036854s9223372036854s",
  ])
  func whatNamesNoMoment(_ text: String) {
    #expect(MomentText.parse(text, now: now) == nil)
  }

  @Test func offsetsThatLeave64Bits() {
    #expect(MomentText.parse("+1s", now: .max) == nil)
    #expect(MomentText.parse("-1s", now: .min) == nil)
  }
}
