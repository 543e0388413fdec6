// What an agent asks of the store, as values that can be asked again: after a crash, in another process.

import CTwindProto
import TwinCore
import TwinFixtures
import TwinStore

struct Wish {
  struct Change {
    enum What {
      case set(Literal)
      case remove
      case increment(Int64)
    }

    let attribute: String
    let what: What
    /// 0 = the commit's time, and open.
    var from: Int64 = 0
    var to: Int64 = 0
  }

  struct Twin {
    let name: String
    let changes: [Change]
    var precondition = Command.Precondition.none
  }

  enum Kind { case update, batch, delete }

  /// Stands for the hash of the request.
  let number: UInt64
  let kind: Kind
  let twins: [Twin]
  let agent: String
  /// Empty = none.
  let key: String
  /// Nil = the daemon's default.
  let level: Twind__V1__Durability

  /// It only removes attributes, from now on and for good.
  var takesAway: Bool {
    twins.allSatisfy { twin in
      twin.changes.allSatisfy { change in
        if case .remove = change.what { return change.from == 0 && change.to == 0 }
        return false
      }
    }
  }

  var hash: RequestHash { RequestHash(meaning: number, payload: number) }

  /// Runs `body` on the command, which lives no longer.
  func withCommand<R>(_ body: (Command) throws -> R) throws -> R {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    return try body(command(requests))
  }

  private func command(_ requests: Requests) throws(TwinError) -> Command {
    let agent = Text(requests.text(agent))
    switch kind {
    case .update:
      let request = update(twins[0], requests, key: key)
      request.pointee.durability = level
      return try Command(update: request, agent: agent)
    case .batch:
      let request = requests.batch(twins.map { update($0, requests, key: "") }, key: key)
      request.pointee.durability = level
      return try Command(batch: request, agent: agent)
    case .delete:
      var expected: UInt64?
      if case .revision(let revision) = twins[0].precondition { expected = revision }
      let request = requests.delete(twins[0].name, expected: expected, key: key)
      request.pointee.durability = level
      return try Command(delete: request, agent: agent)
    }
  }

  private func update(
    _ twin: Twin, _ requests: Requests, key: String
  ) -> UnsafeMutablePointer<Twind__V1__UpdateTwinRequest> {
    let changes = twin.changes.map { change in
      switch change.what {
      case .set(let value): requests.set(change.attribute, value, from: change.from, to: change.to)
      case .remove: requests.remove(change.attribute, from: change.from, to: change.to)
      case .increment(let number): requests.increment(change.attribute, .int(number), from: change.from, to: change.to)
      }
    }
    switch twin.precondition {
    case .none: return requests.update(twin.name, changes, key: key)
    case .revision(let revision): return requests.update(twin.name, changes, expected: revision, key: key)
    case .mustNotExist: return requests.update(twin.name, changes, mustNotExist: true, key: key)
    }
  }
}

extension Wish: CustomStringConvertible {
  var description: String {
    let what = twins.map { twin in
      let changes = twin.changes.map { change in
        switch change.what {
        case .set(let value): "\(change.attribute)=\("\(value)".prefix(24))"
        case .remove: "-\(change.attribute)"
        case .increment(let number): "\(change.attribute)+=\(number)"
        }
      }
      return "\(twin.name) \(changes.joined(separator: " "))"
    }
    return "wish \(number) of \(agent) \(key): \(kind) \(what.joined(separator: ", "))"
  }
}
