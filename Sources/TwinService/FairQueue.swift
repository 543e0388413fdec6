// Jobs that wait for a worker. The user who has been served least is next, then that user's connection which has been
// served least; a connection's own jobs run in order, one at a time.
//
// So a short read does not wait for the turns of a hundred connections that read long histories, but for the job that is
// under way. Not synchronised: `Workers` locks it.

import DequeModule
import Threads

package struct FairQueue<Job> {
  /// Whose job it is.
  package struct Owner: Hashable {
    let user: UInt32
    let connection: ObjectIdentifier

    package init(user: UInt32, connection: ObjectIdentifier) {
      self.user = user
      self.connection = connection
    }
  }

  private struct User {
    /// Connections that have jobs and none that runs.
    var ready = LeastServed<ObjectIdentifier>()
    var jobCount = 0
  }

  /// Users with connections that are ready.
  private var ready = LeastServed<UInt32>()
  /// A user stays: who has gone and comes back has been served no less.
  private var users: [UInt32: User] = [:]
  private var jobs: [Owner: Deque<Job>] = [:]
  private var running: Set<Owner> = []

  package private(set) var count = 0

  package init() {}

  /// Jobs of one user that wait.
  package func count(of user: UInt32) -> Int { users[user]?.jobCount ?? 0 }

  /// - Parameter isNext: it goes before the other jobs of its connection.
  package mutating func add(_ job: Job, of owner: Owner, isNext: Bool = false) {
    count += 1
    users[owner.user, default: User()].jobCount += 1
    if isNext { jobs[owner, default: []].prepend(job) } else { jobs[owner, default: []].append(job) }
    if jobs[owner]!.count == 1 && !running.contains(owner) { makeReady(owner) }
  }

  /// The next job; `end` must be called when it has run. Nil when there is none, or all are of connections that have one
  /// that runs.
  package mutating func next() -> (job: Job, owner: Owner)? {
    guard let id = ready.next(), let connection = users[id]?.ready.next() else { return nil }
    let owner = Owner(user: id, connection: connection)
    guard let job = jobs[owner]?.popFirst() else { preconditionFailure("a connection that is ready has a job") }
    if jobs[owner]?.isEmpty == true { jobs[owner] = nil }
    running.insert(owner)
    count -= 1
    users[id]!.jobCount -= 1
    charge(owner, Self.startNanos)
    if !users[id]!.ready.isEmpty { ready.add(id) }
    return (job, owner)
  }

  /// What a job counts for before it has ended, and more than it takes: several at once are no way to get ahead.
  private static var startNanos: UInt64 { 20_000 }

  private mutating func charge(_ owner: Owner, _ nanos: UInt64) {
    ready.charge(owner.user, nanos)
    users[owner.user]!.ready.charge(owner.connection, nanos)
  }

  /// The owner's job has run for so long. True: another of its jobs may run now.
  package mutating func end(_ owner: Owner, nanos: UInt64) -> Bool {
    running.remove(owner)
    charge(owner, nanos)
    guard jobs[owner] != nil else { return false }
    makeReady(owner)
    return true
  }

  private mutating func makeReady(_ owner: Owner) {
    if users[owner.user]!.ready.isEmpty { ready.add(owner.user) }
    users[owner.user]!.ready.add(owner.connection)
  }
}
