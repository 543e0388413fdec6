// What an agent can say about the changes that it makes.

import ArgumentParser
import TwinClient
import TwinText

struct FactArguments: ParsableArguments {
  @Option(help: "How sure you are: above 0, at most 1.") var confidence: Double?
  @Option(help: "What it is based on, for example ticket:4711.") var evidence: String?
  @Option(
    help: ArgumentHelp("From when it holds, RFC 3339 (default: now).", valueName: "time"),
    transform: timestampArgument)
  var validFrom: Int64?
  @Option(
    help: ArgumentHelp("Until when it holds, RFC 3339 (default: open).", valueName: "time"),
    transform: timestampArgument)
  var validTo: Int64?

  func validate() throws {
    if let confidence, !(confidence > 0 && confidence <= 1) {
      throw ValidationError("the confidence \(confidence) must be above 0 and at most 1")
    }
  }

  /// The changes, with what is stated here in place of what they state.
  func stated(on changes: [Change]) -> [Change] {
    changes.map { change in
      var change = change
      change.confidence = confidence ?? change.confidence
      change.evidence = evidence ?? change.evidence
      change.validFrom = validFrom ?? change.validFrom
      change.validTo = validTo ?? change.validTo
      return change
    }
  }
}

@Sendable
func timestampArgument(_ text: String) throws -> Int64 {
  guard let micros = TimestampText.parse(text) else {
    throw ValidationError("\(text.excerpt()) is not a time: write RFC 3339, for example 2026-01-31T09:00:00Z")
  }
  return micros
}
