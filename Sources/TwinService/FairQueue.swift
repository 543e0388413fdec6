// A fair queue of jobs for workers. The user that was served least is next, and of its connections the one that was
// served least. The jobs of a connection run in order, one at a time.
//
// So a short read waits only for the job in progress, not for a hundred connections that read long histories. Not
// thread-safe: `Workers` locks it.

import DequeModule
import Threads

package struct FairQueue<Job> {
  /// The owner of a job.
  package struct Owner: Hashable {
    let user: UInt32
    let connection: ObjectIdentifier

    package init(user: UInt32, connection: ObjectIdentifier) {
      self.user = user
      self.connection = connection
    }
  }

  private struct User {
    /// Connections that have jobs, but none running.
    var ready = LeastServed<ObjectIdentifier>()
    var jobCount = 0
  }

  /// Users with connections that are ready.
  private var ready = LeastServed<UInt32>()
  /// Users are kept when they disconnect, so that they cannot reset their share.
  private var users: [UInt32: User] = [:]
  private var jobs: [Owner: Deque<Job>] = [:]
  private var running: Set<Owner> = []

  package private(set) var count = 0

  package init() {}

  /// How many jobs of a user are waiting.
  package func count(of user: UInt32) -> Int { users[user]?.jobCount ?? 0 }

  /// - Parameter isNext: put it before the other jobs of its connection.
  package mutating func add(_ job: Job, of owner: Owner, isNext: Bool = false) {
    count += 1
    users[owner.user, default: User()].jobCount += 1
    if isNext { jobs[owner, default: []].prepend(job) } else { jobs[owner, default: []].append(job) }
    if jobs[owner]!.count == 1 && !running.contains(owner) { makeReady(owner) }
  }

  /// The next job; call `end` after it has run. nil if there is none, or if all waiting connections have a running job.
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

  /// How much a running job counts before it has ended: more than a job usually takes, so that running several at once
  /// is no advantage.
  private static var startNanos: UInt64 { 20_000 }

  private mutating func charge(_ owner: Owner, _ nanos: UInt64) {
    ready.charge(owner.user, nanos)
    users[owner.user]!.ready.charge(owner.connection, nanos)
  }

  /// Records how long the owner's job ran. True if another of its jobs can run now.
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
