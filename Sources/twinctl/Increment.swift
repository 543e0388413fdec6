// twinctl increment

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Increment: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Add to numbers of a twin in one commit; a missing number counts as 0.",
    discussion: """
      A whole number is an int, any other number a double; to add a whole number to
      a double, write attribute:double=2. An increment that is sent twice counts
      twice, unless you give it an --idempotency-key.

      EXAMPLES
        twinctl increment acme/customer/42 visits=1
        twinctl increment acme/customer/42 spent:double=20 --idempotency-key order:77
        twinctl increment acme/customer/42 credits=-5
      """)

  @Argument(help: ArgumentHelp("The twin: space/kind/id.", valueName: "name")) var name: String
  @Argument(help: ArgumentHelp("The attribute and the number to add.", valueName: "attribute=number"))
  var assignments: [String]
  @OptionGroup var facts: FactArguments
  @OptionGroup var precondition: PreconditionArguments
  @OptionGroup var write: WriteArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let changes = try assignments.map { argument in
      let assignment = try Assignment(argument)
      return Change.increment(assignment.attribute, by: try assignment.increment())
    }
    let result = try common.client().update(
      name, facts.stated(on: changes), precondition: precondition.precondition, write.options)
    try WriteReport.show(result, name, WriteReport.facts(result.factCount), json: common.json)
  }
}
