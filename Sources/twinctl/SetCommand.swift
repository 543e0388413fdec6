// twinctl set

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

/// Not `Set`, which is taken.
struct SetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Set attributes of a twin in one commit, and create it when absent.",
    discussion: """
      A value is a string unless its attribute names another kind:

        name=Ada               string, as it is
        visits:int=3           a whole number of 64 bits
        score:double=0.75      a finite number
        vip:bool=true          true or false
        seen:timestamp=2026-01-31T09:00:00Z
                               RFC 3339 or a date; without an offset UTC
        tags:list='["a",1]'    a JSON array of scalars; {"bytes":"aGk="} and
                               {"timestamp":"…"} stand for these kinds
        profile:json='{"a":1}' any JSON, kept as it is written
        photo:bytes=aGk=       base64

      bytes, json and list take @FILE, or @- for standard input, for example
      photo:bytes=@ada.jpg

      --valid-from in the past corrects what is known about the time from then
      on, with --valid-to about that time alone; what was known before stays
      visible with `twinctl get --known-at`. In the future it takes effect then.

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

  /// Of the attributes before they are set. A daemon that is away is an error, a twin that cannot be read has none.
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

  /// Nothing keeps a kind: who reads `n` as an int finds a string there from now on.
  private func warn(_ changes: [Change], _ kinds: [String: ValueKind]) {
    for change in changes {
      let name = change.attribute
      guard case .set(let value) = change.operation, let old = kinds[name], old != value.kind else { continue }
      Terminal.warn(
        "\(name) was of kind \(old.rawValue) and is of kind \(value.kind.rawValue) now: write \(name):\(old.rawValue)=… "
          + "to keep the kind")
    }
  }
}
