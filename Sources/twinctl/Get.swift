// twinctl get

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Get: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show one twin, or several in one consistent read.",
    discussion: """
      Arguments with slashes are twins, the others are attributes to show. An
      attribute includes all attributes below it: address includes address.city.

      EXAMPLES
        twinctl get acme/customer/42
        twinctl get acme/customer/42 email address --long
        twinctl get acme/customer/42 acme/customer/43 --json
        twinctl get acme/customer/42 --json | jq -r .attributes.email.value
        twinctl get acme/customer/42 --valid-at 2026-01-01
        twinctl get acme/customer/42 --valid-at 2026-01-01 --known-at -7d

      --valid-at shows what was true at a time; --known-at shows what had been
      recorded by a time; together they show what was then believed to be true at
      another time. Times are \(MomentText.forms);
      without an offset they are in UTC.

      With --json a twin is
        {"name":…,"revision":…,"attributes":{"email":{"kind":"string",
         "value":"ada@example.com","valid_from":…,"recorded_at":…,"agent":…,
         "sequence":…}}}
      plus confidence, evidence, purpose, valid_to and increment if they are set.
      Integers are exact, bytes are base64, timestamps are RFC 3339. If you ask for
      several twins, one that cannot be shown is
        {"name":…,"error":{"code":…,"message":…}}
      """)

  /// The most names in one call.
  private static let batchMax = 256

  @Argument(help: ArgumentHelp("Twins, and attributes to show.", valueName: "name")) var names: [String]
  @Flag(help: "Also show the agent, time, confidence and evidence of each value.") var long = false
  @Option(help: "What the data is for.") var purpose: String?
  @Option(help: ArgumentHelp("Wait up to a second until this sequence is visible.", valueName: "sequence"))
  var minSequence: UInt64?
  @Option(
    help: ArgumentHelp("Show one twin as it was at this time.", valueName: "time"),
    transform: momentArgument)
  var validAt: Int64?
  @Option(
    help: ArgumentHelp("Show one twin as it was known at this time.", valueName: "time"),
    transform: momentArgument)
  var knownAt: Int64?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    let count = splitNames(names).twins.count
    if count == 0 { throw ValidationError("give a twin: space/kind/id") }
    if count > 1 && (validAt != nil || knownAt != nil) {
      throw ValidationError("use --valid-at and --known-at with a single twin")
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

  /// Why nothing is shown of a twin that exists.
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
