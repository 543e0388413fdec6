// Histories as system tests write them.

import Simulation
import Testing

@Suite struct RegisterLogTests {
  private func log(_ lines: String) throws -> RegisterLog {
    var log = RegisterLog()
    for line in lines.split(separator: "\n") { try log.read(line) }
    return log
  }

  @Test func findsTheRegisterThatContradictsItself() throws {
    var log = try log(
      """
      {"agent":"a","event":"invoke","on":"one","do":"write","value":1}
      {"agent":"b","event":"invoke","on":"two","do":"write","value":"x"}
      {"agent":"b","event":"ok"}
      {"agent":"a","event":"ok"}
      {"agent":"a","event":"invoke","on":"one","do":"read"}
      {"agent":"a","event":"ok","value":"1"}
      {"agent":"b","event":"invoke","on":"two","do":"read"}
      {"agent":"b","event":"ok","value":null}
      """)
    #expect(log.operations == 4)
    #expect(log.contradictions().map(\.register) == ["two"])
  }

  @Test func whatHasNoEndIsUnknownAndWhatFailedDidNothing() throws {
    var log = try log(
      """
      {"agent":"a","event":"invoke","on":"one","do":"write","value":1}
      {"agent":"b","event":"invoke","on":"one","do":"write","value":2}
      {"agent":"b","event":"unknown"}
      {"agent":"c","event":"invoke","on":"one","do":"write","value":3}
      {"agent":"c","event":"fail"}
      {"agent":"b","event":"invoke","on":"one","do":"read"}
      {"agent":"b","event":"ok","value":2}
      {"agent":"b","event":"invoke","on":"one","do":"swap","expected":1,"value":4}
      {"agent":"b","event":"ok"}
      """)
    #expect(log.contradictions().isEmpty)
    var failed = try self.log(
      """
      {"agent":"c","event":"invoke","on":"one","do":"write","value":3}
      {"agent":"c","event":"fail"}
      {"agent":"b","event":"invoke","on":"one","do":"read"}
      {"agent":"b","event":"ok","value":3}
      """)
    #expect(failed.contradictions().count == 1)
  }

  @Test(arguments: [
    "x", #"{"agent":"a","event":"ok"}"#, #"{"agent":"a","event":"begin"}"#,
    #"{"agent":"a","event":"invoke","do":"read"}"#,
    #"{"agent":"a","event":"invoke","on":"one","do":"look"}"#,
  ])
  func namesTheLineThatIsWrong(line: String) {
    let failure = #expect(throws: RegisterLog.Malformed.self) { try log(line) }
    #expect(failure?.description.hasPrefix("line 1") == true)
  }
}
