// Options for the provenance and the valid time of changes.

import ArgumentParser
import TwinClient
import TwinText

struct FactArguments: ParsableArguments {
  @Option(help: "How sure you are: above 0, at most 1.") var confidence: Double?
  @Option(help: "The source, for example ticket:4711.") var evidence: String?
  @Option(
    help: ArgumentHelp("When it begins to hold: RFC 3339, a date, -2h (default: now).", valueName: "time"),
    transform: momentArgument)
  var validFrom: Int64?
  @Option(
    help: ArgumentHelp("When it ceases to hold: RFC 3339, a date, +30d (default: never).", valueName: "time"),
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

  /// The changes, with these options applied.
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
