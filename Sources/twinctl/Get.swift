// twinctl get

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Get: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show one twin, or several as they are at one moment.",
    discussion: """
      Arguments with slashes are names of twins, others name attributes to show;
      an attribute covers all below it.

      EXAMPLES
        twinctl get acme/customer/42
        twinctl get acme/customer/42 email address --long
        twinctl get acme/customer/42 acme/customer/43 --json
        twinctl get acme/customer/42 --json | jq -r .attributes.email.value
        twinctl get acme/customer/42 --valid-at 2026-01-01
        twinctl get acme/customer/42 --valid-at 2026-01-01 --known-at -7d

      --valid-at asks what was true at that time, --known-at what was understood
      at that time, both what was understood then to be true at another. Times are
      \(MomentText.forms);
      without an offset UTC.

      With --json a twin is
        {"name":…,"revision":…,"attributes":{"email":{"kind":"string",
         "value":"ada@example.com","valid_from":…,"recorded_at":…,"agent":…,
         "sequence":…}}}
      with confidence, evidence, purpose, valid_to and increment where they are
      stated.
      Integers are exact, bytes are base64, timestamps RFC 3339. Of several twins,
      one that cannot be shown is {"name":…,"error":{"code":…,"message":…}}.
      """)

  /// Names in one call.
  private static let batchMax = 256

  @Argument(help: ArgumentHelp("Names of twins, and of attributes.", valueName: "name")) var names: [String]
  @Flag(help: "Show also who wrote each value, when, how sure and based on what.") var long = false
  @Option(help: "What the data is for.") var purpose: String?
  @Option(help: ArgumentHelp("Wait, at most a second, until this sequence is visible.", valueName: "sequence"))
  var minSequence: UInt64?
  @Option(
    help: ArgumentHelp("One twin as it was at this time.", valueName: "time"),
    transform: momentArgument)
  var validAt: Int64?
  @Option(
    help: ArgumentHelp("One twin as it was understood at this time.", valueName: "time"),
    transform: momentArgument)
  var knownAt: Int64?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    let count = splitNames(names).twins.count
    if count == 0 { throw ValidationError("name a twin: space/kind/id") }
    if count > 1 && (validAt != nil || knownAt != nil) {
      throw ValidationError("--valid-at and --known-at are for one twin")
    }
  }

  func run() throws {
    let (twins, attributes) = splitNames(names)
    let client = common.client()
    var options = ReadOptions()
    options.attributes = attributes
    options.purpose = purpose ?? ""
    options.minSequence = minSequence ?? 0
    options.validAt = validAt
    options.knownAt = knownAt
    if twins.count == 1 {
      let reply = try client.get(twins[0], options)
      guard let twin = reply.twin else { return }
      return try show(twin, reply.redactions)
    }
    var worst: RPCError?
    var isFirst = true
    for start in stride(from: 0, to: twins.count, by: Self.batchMax) {
      let reply = try client.get(many: Array(twins[start..<min(start + Self.batchMax, twins.count)]), options)
      for (name, result) in reply.results {
        switch result {
        case .success(let twin):
          if !isFirst && !common.json { try Terminal.print("") }
          isFirst = false
          try show(twin, reply.redactions.filter { $0.twin == name })
        case .failure(let error):
          worst = worst ?? error
          try show(error, of: name)
        }
      }
    }
    if let worst { throw ExitStatus(worst.code) }
  }

  private func show(_ twin: Twin, _ redactions: [Redaction]) throws {
    guard common.json else {
      let hint = twin.attributes.isEmpty && redactions.isEmpty ? "  \(emptiness(of: twin.name))\n" : ""
      return try Terminal.write(TwinTable.text(twin, redactions, isLong: long) + hint)
    }
    var object = twin.json
    if !redactions.isEmpty { object.add("redactions", json: redactions.json) }
    try Terminal.print(object.text)
  }

  /// Why a twin is there and nothing of it is shown.
  private func emptiness(of name: String) -> String {
    let which = splitNames(names).attributes.isEmpty ? "no attributes" : "none of these attributes"
    let time = validAt == nil ? "at present" : "at that time"
    return "\(which) \(time): see twinctl history \(DisplayText.line(name))"
  }

  private func show(_ error: RPCError, of name: String) throws {
    guard common.json else { return Terminal.complain("\(name): \(error.code.name): \(error.message)") }
    var details = JSONObject()
    details.add("code", error.code.name)
    details.add("message", error.message)
    var object = JSONObject()
    object.add("name", name)
    object.add("error", details)
    try Terminal.print(object.text)
  }
}
