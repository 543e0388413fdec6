// One twin that requests are decided on and applied to, one commit after the other, without a store.

import CTwindProto
import TwinCore
import TwinFixtures

final class Scene {
  let requests = Requests()
  private(set) var image: TwinImage?
  private(set) var lastChange: TwinImage?
  /// All that was recorded, as a store would keep it.
  private(set) var facts: [StoredFact] = []
  private(set) var sequence: UInt64 = 0
  /// What the next commit is recorded at.
  var now: Int64 = 1_000_000
  /// Who deletes.
  var agent = "cleaner"
  let name: String

  init(_ name: String = "acme/customer/42") { self.name = name }

  /// Decides and applies an update and returns its facts' count.
  @discardableResult
  func update(
    _ changes: [ChangePointer], expected: UInt64? = nil, mustNotExist: Bool = false, purpose: String = ""
  ) throws(TwinError) -> Int {
    let request = requests.update(name, changes, expected: expected, mustNotExist: mustNotExist, purpose: purpose)
    return try run(try Command(update: request, agent: Text(requests.text("support-agent"))))
  }

  @discardableResult
  func delete(expected: UInt64? = nil) throws(TwinError) -> Int {
    let request = requests.delete(name, expected: expected)
    return try run(try Command(delete: request, agent: Text(requests.text(agent))))
  }

  private func run(_ command: Command) throws(TwinError) -> Int {
    let commit = Commit(sequence: sequence + 1, recordedAt: now, agent: command.agent, purpose: command.purpose)
    let decision = try decide(command, on: [image], as: commit)
    guard !decision.facts.isEmpty else { return 0 }
    record(TwinImage.change(decision.facts[decision.ranges[0]], named: command.twins[0].name, as: commit))
    return decision.facts.count
  }

  /// Applies a change that was made elsewhere.
  func record(_ change: TwinImage) {
    sequence = change.revision
    image = apply(change, to: image)
    lastChange = change
    for (ordinal, entry) in change.entries.enumerated() {
      facts.append(
        StoredFact(sequence: sequence, ordinal: UInt32(ordinal), message: Array(change.message(entry))))
    }
  }

  /// The error that an update makes; nil when it succeeds.
  func failure(
    _ changes: [ChangePointer], expected: UInt64? = nil, mustNotExist: Bool = false
  ) -> TwinError? {
    do throws(TwinError) {
      try update(changes, expected: expected, mustNotExist: mustNotExist)
      return nil
    } catch {
      return error
    }
  }

  func value(_ attribute: String) -> Literal? { image?.value(attribute) }
}
