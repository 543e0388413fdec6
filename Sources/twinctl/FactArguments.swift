// What an agent can say about the changes that it makes.

import ArgumentParser
import TwinClient
import TwinText

struct FactArguments: ParsableArguments {
  @Option(help: "How sure you are: above 0, at most 1.") var confidence: Double?
  @Option(help: "What it is based on, for example ticket:4711.") var evidence: String?
  @Option(
    help: ArgumentHelp("From when it holds: RFC 3339, a date, -2h (default: now).", valueName: "time"),
    transform: momentArgument)
  var validFrom: Int64?
  @Option(
    help: ArgumentHelp("Until when it holds: RFC 3339, a date, +30d (default: open).", valueName: "time"),
    transform: momentArgument)
  var validTo: Int64?

  func validate() throws {
    if let confidence, !(confidence > 0 && confidence <= 1) {
      throw ValidationError("the confidence \(confidence) must be above 0 and at most 1")
    }
    if let validFrom, let validTo, validFrom >= validTo {
      throw ValidationError("--valid-from must be before --valid-to")
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
