// twinctl delete

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Delete: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete a twin with all its attributes.",
    discussion: """
      EXAMPLES
        twinctl delete acme/customer/42
        twinctl delete acme/customer/42 --expect-revision 17
      """)

  @Argument(help: ArgumentHelp("The twin: space/kind/id.", valueName: "name")) var name: String
  @Option(help: ArgumentHelp("Delete only if the twin is at this revision.", valueName: "revision"))
  var expectRevision: UInt64?
  @OptionGroup var write: WriteArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let result = try common.client().delete(name, expectedRevision: expectRevision, write.options)
    try WriteReport.show(result, name, "deleted", json: common.json)
  }
}
