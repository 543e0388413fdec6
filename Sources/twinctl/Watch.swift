// twinctl watch

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print changes of twins as they are committed.",
    discussion: """
      Watches all twins, a prefix (space/ or space/kind/), or the named twins. If
      the daemon goes away, the watch waits for it and continues where it was. It
      prints what happened meanwhile or, if the daemon no longer has that, each
      changed twin as it is now. Ctrl-C ends it.

      EXAMPLES
        twinctl watch acme/
        twinctl watch acme/customer/42 acme/customer/43 --attributes plan
        twinctl watch --prefix acme/customer/4 --snapshot
        twinctl watch acme/ --json --from-sequence 1042 | my-consumer

      With --json, each line is one of
        {"sequence":…,"name":…,"revision":…,"attributes":{…},"removed":[…],
         "ended":[…],"created":true,"deleted":true,"other_facts":[…]}
                                                  what a commit did to a twin
        {"snapshot":true,"name":…,"revision":…,"attributes":{…},
         "scheduled":[…]}                         a twin as it is
        {"sequence":…}                            everything up to here was printed
      To continue later, pass any printed sequence to --from-sequence; commits made
      while a snapshot is read have none. Facts look as in `twinctl history --json`.
      other_facts are facts about the past or the future (in brackets without
      --json), ended says from when until when a removed attribute has no value,
      and scheduled has facts that can matter later.
      """)

  @Argument(help: ArgumentHelp("A prefix, or names of twins (default: all twins).", valueName: "prefix or name"))
  var targets: [String] = []
  @Option(help: "Only twins whose names begin with this, if it looks like a name.") var prefix: String?
  @Flag(help: "First print the twins as they are.") var snapshot = false
  @Option(help: ArgumentHelp("Start after this sequence.", valueName: "sequence")) var fromSequence: UInt64?
  @Flag(help: "Let one line stand for several commits.") var coalesce = false
  @Option(help: ArgumentHelp("Attributes to watch, separated by commas.", valueName: "names"))
  var attributes: String?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if snapshot && fromSequence != nil { throw ValidationError("use --snapshot or --from-sequence, not both") }
    let prefixCount = targets.count(where: Self.isPrefix)
    if prefix != nil ? !targets.isEmpty : prefixCount > 0 && targets.count > 1 {
      throw ValidationError("watch one prefix, or one or more twins")
    }
  }

  func run() throws {
    // Every line is written when it is made: nothing is lost by ending at once.
    signal(SIGINT) { _ in _exit(0) }
    signal(SIGTERM) { _ in _exit(0) }
    var options = WatchOptions()
    options.names = targets.filter { !Self.isPrefix($0) }
    options.prefix = prefix ?? PrefixText.completed(targets.first(where: Self.isPrefix) ?? "")
    options.coalesce = coalesce
    options.attributes = attributes.map { $0.split(separator: ",").map(String.init) } ?? []
    options.purpose = purpose ?? ""
    if !snapshot { options.fromSequence = try fromSequence ?? head() }
    Terminal.error(options.fromSequence.map { "watching from sequence \($0 + 1)\n" } ?? "")
    let client = TwindClient(path: common.socket ?? TwindClient.defaultSocket, agent: common.agent)
    var watch = ResumingWatch(client, options, WatchPrinter(json: common.json))
    try watch.run()
  }

  /// The sequence of the last commit.
  private func head() throws(RPCError) -> UInt64 {
    try common.client().list(prefix: "", pageSize: 1, namesOnly: true).sequence
  }

  private static func isPrefix(_ target: String) -> Bool {
    target.hasSuffix("/") || target.count(where: { $0 == "/" }) < 2
  }
}
