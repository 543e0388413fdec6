// twinctl set

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

/// Not named `Set`, which is a type of Swift's.
struct SetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Set attributes of a twin in one commit; create it if it does not exist.",
    discussion: """
      A value is a string unless you give another kind:

        name=Ada               a string
        visits:int=3           a 64-bit integer
        score:double=0.75      a finite number
        vip:bool=true          true or false
        seen:timestamp=2026-01-31T09:00:00Z
                               RFC 3339 or a date; UTC unless it has an offset
        tags:list='["a",1]'    a JSON array of scalars; write bytes and timestamps
                               as {"bytes":"aGk="} and {"timestamp":"…"}
        profile:json='{"a":1}' any JSON, kept as written
        photo:bytes=aGk=       base64

      bytes, json and list can also read a file, or standard input with @-:
      photo:bytes=@ada.jpg

      With --valid-from in the past, the value corrects what was recorded about the
      time since then, or up to --valid-to. The earlier belief stays visible with
      `twinctl get --known-at`. With --valid-from in the future, the value takes
      effect then.

      EXAMPLES
        twinctl set acme/customer/42 email=ada@example.com visits:int=3
        twinctl set acme/customer/42 plan=pro --evidence ticket:4711 --confidence 0.9
        twinctl set acme/customer/42 plan=pro --expect-revision 17
        twinctl set acme/customer/42 plan=basic --valid-from 2025-12-01
        twinctl set acme/customer/42 offer=10% --valid-to +30d --durability synced
      """)

  @Argument(help: ArgumentHelp("The twin: space/kind/id.", valueName: "name")) var name: String
  @Argument(help: ArgumentHelp("What to set: attribute=value or attribute:kind=value.", valueName: "attribute=value"))
  var assignments: [String]
  @OptionGroup var facts: FactArguments
  @OptionGroup var precondition: PreconditionArguments
  @OptionGroup var write: WriteArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    let changes = try assignments.map { argument in
      let assignment = try Assignment(argument)
      return Change.set(assignment.attribute, try assignment.value())
    }
    let client = common.client()
    let kinds = try kinds(of: changes, client)
    let result = try client.update(
      name, facts.stated(on: changes), precondition: precondition.precondition, write.options)
    try WriteReport.show(result, name, WriteReport.facts(result.factCount), json: common.json)
    if result.factCount > 0 { warn(changes, kinds) }
  }

  /// The kinds of the attributes before they are set; none if the twin cannot be read. Throws if the daemon is away.
  private func kinds(of changes: [Change], _ client: TwindClient) throws -> [String: ValueKind] {
    var options = ReadOptions()
    options.attributes = changes.map(\.attribute)
    options.purpose = write.purpose ?? ""
    do {
      let twin = try client.get(name, options).twin
      return Dictionary(uniqueKeysWithValues: (twin?.attributes ?? []).map { ($0.name, $0.value.kind) })
    } catch {
      if error.code == .unavailable || error.code == .deadlineExceeded { throw error }
      return [:]
    }
  }

  /// Kinds are not enforced: a program that reads `n` as an int would now find a string.
  private func warn(_ changes: [Change], _ kinds: [String: ValueKind]) {
    for change in changes {
      let name = change.attribute
      guard case .set(let value) = change.operation, let old = kinds[name], old != value.kind else { continue }
      Terminal.warn(
        "the kind of \(name) changes from \(old.rawValue) to \(value.kind.rawValue): write \(name):\(old.rawValue)=… "
          + "to keep the kind")
    }
  }
}
