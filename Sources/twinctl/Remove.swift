// twinctl remove

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Remove: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Remove attributes of a twin in one commit.",
    discussion: """
      Removing an attribute that does not exist is not an error.

      EXAMPLES
        twinctl remove acme/customer/42 phone
        twinctl remove acme/customer/42 phone fax --evidence ticket:4711
      """)

  @Argument(help: ArgumentHelp("The twin: space/kind/id.", valueName: "name")) var name: String
  @Argument(help: ArgumentHelp("Attributes to remove.", valueName: "attribute")) var attributes: [String]
  @OptionGroup var facts: FactArguments
  @OptionGroup var precondition: PreconditionArguments
  @OptionGroup var write: WriteArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let result = try common.client().update(
      name, facts.stated(on: attributes.map { .remove($0) }), precondition: precondition.precondition, write.options)
    try WriteReport.show(result, name, WriteReport.facts(result.factCount), json: common.json)
  }
}
