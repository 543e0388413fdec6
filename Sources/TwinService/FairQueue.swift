// Jobs that wait for a worker: users take turns, the connections of a user take turns, and a connection's own jobs run in
// order, one at a time.
//
// So 128 long reads on one connection hold up a read on another by one of theirs. Not synchronised: `Workers` locks it.

import DequeModule

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
    var ready: Deque<ObjectIdentifier> = []
    var jobCount = 0
  }

  /// Users with connections that are ready.
  private var ready: Deque<UInt32> = []
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
    guard let id = ready.popFirst(), var user = users[id], let connection = user.ready.popFirst() else { return nil }
    let owner = Owner(user: id, connection: connection)
    guard let job = jobs[owner]?.popFirst() else { preconditionFailure("a connection that is ready has a job") }
    if jobs[owner]?.isEmpty == true { jobs[owner] = nil }
    running.insert(owner)
    count -= 1
    user.jobCount -= 1
    if !user.ready.isEmpty { ready.append(id) }
    users[id] = user.jobCount == 0 ? nil : user
    return (job, owner)
  }

  /// The owner's job has run. True: another of its jobs may run now.
  package mutating func end(_ owner: Owner) -> Bool {
    running.remove(owner)
    guard jobs[owner] != nil else { return false }
    makeReady(owner)
    return true
  }

  private mutating func makeReady(_ owner: Owner) {
    if users[owner.user]!.ready.isEmpty { ready.append(owner.user) }
    users[owner.user]!.ready.append(owner.connection)
  }
}
