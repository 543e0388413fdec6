// Who is next: users take turns, then their connections, and a connection has one job at a time.

import Testing
import TwinService

@Suite struct FairQueueTests {
  /// Connections by letter: "1a" is connection a of user 1.
  private final class Connection {}
  private let connections = (0..<26).map { _ in Connection() }

  private func owner(_ name: String) -> FairQueue<String>.Owner {
    let bytes = Array(name.utf8)
    return .init(
      user: UInt32(bytes[0] - UInt8(ascii: "0")),
      connection: ObjectIdentifier(connections[Int(bytes[1] - UInt8(ascii: "a"))]))
  }

  private func queue(_ jobs: [String]) -> FairQueue<String> {
    var queue = FairQueue<String>()
    for job in jobs { queue.add(job, of: owner(job)) }
    return queue
  }

  /// The order in which one thread runs everything.
  private func order(_ jobs: [String]) -> [String] {
    var queue = queue(jobs)
    var order: [String] = []
    while let next = queue.next() {
      order.append(next.job)
      _ = queue.end(next.owner, nanos: 100_000)
    }
    #expect(queue.count == 0)
    return order
  }

  @Test func aConnectionsJobsRunInOrder() {
    #expect(order(["1a-1", "1a-2", "1a-3"]) == ["1a-1", "1a-2", "1a-3"])
  }

  @Test func connectionsOfAUserTakeTurns() {
    #expect(order(["1a-1", "1a-2", "1a-3", "1b-1"]) == ["1a-1", "1b-1", "1a-2", "1a-3"])
  }

  @Test func usersTakeTurnsHoweverManyConnectionsTheyHave() {
    #expect(order(["1a-1", "1b-1", "1c-1", "2d-1", "2d-2"]) == ["1a-1", "2d-1", "1b-1", "2d-2", "1c-1"])
  }

  @Test func aConnectionHasOneJobAtATime() throws {
    var queue = queue(["1a-1", "1a-2", "1b-1"])
    let (first, second, third) = (queue.next(), queue.next(), queue.next())
    #expect([first?.job, second?.job, third?.job] == ["1a-1", "1b-1", nil])
    #expect(queue.count == 1)
    #expect(end(second, of: &queue) == false)
    #expect(end(first, of: &queue) == true)
    let last = queue.next()
    #expect(last?.job == "1a-2")
  }

  @Test func whatIsAddedWhileAJobRunsWaitsForItsEnd() throws {
    var queue = queue(["1a-1"])
    let first = queue.next()
    queue.add("1a-2", of: owner("1a"))
    let none = queue.next()
    #expect(none == nil)
    #expect(queue.count(of: 1) == 1)
    #expect(end(first, of: &queue) == true)
    let second = queue.next()
    #expect(second?.job == "1a-2")
    #expect(queue.count(of: 1) == 0)
  }

  @Test func theRestOfAJobComesBeforeItsConnectionsOthersAndAfterOtherConnections() {
    var queue = queue(["1a-1", "1a-2", "1b-1"])
    let first = queue.next()
    queue.add("1a-1, rest", of: owner("1a"), isNext: true)
    #expect(end(first, of: &queue) == true)
    var order: [String] = []
    while let next = queue.next() {
      order.append(next.job)
      _ = queue.end(next.owner, nanos: 1)
    }
    #expect(order == ["1b-1", "1a-1, rest", "1a-2"])
  }

  @Test func whoHasBeenServedLeastIsNext() {
    var queue = queue(["1a-1", "1b-1", "1c-1"])
    // a, b and c have long jobs, one after the other.
    for _ in 0..<10 {
      for _ in 0..<3 {
        let next = queue.next()!
        #expect(queue.end(next.owner, nanos: 5_000_000) == false)
        queue.add(next.job, of: next.owner)
      }
      // d has a short one, and waits for none of theirs.
      queue.add("1d-1", of: owner("1d"))
      let short = queue.next()!
      #expect(short.job == "1d-1")
      #expect(queue.end(short.owner, nanos: 100_000) == false)
    }
  }

  @Test func whoWasIdleHasNotSavedUpTurns() {
    var queue = queue(["1a-1", "1b-1"])
    for _ in 0..<100 {
      let next = queue.next()!
      _ = queue.end(next.owner, nanos: 1_000_000)
      queue.add(next.job, of: next.owner)
    }
    queue.add("1c-1", of: owner("1c"))
    var order: [String] = []
    for _ in 0..<6 {
      let next = queue.next()!
      order.append(next.job)
      _ = queue.end(next.owner, nanos: 1_000_000)
      queue.add(next.job, of: next.owner)
    }
    #expect(Set(order.prefix(3)).count == 3 && Set(order.suffix(3)).count == 3, "\(order)")
  }

  private func end(
    _ job: (job: String, owner: FairQueue<String>.Owner)?, of queue: inout FairQueue<String>
  ) -> Bool? {
    job.map { queue.end($0.owner, nanos: 1) }
  }

  /// Nothing is lost and nobody waits for ever, whatever the order of adding, running and ending.
  @Test func everyJobRunsOnce() {
    var random = SystemRandomNumberGenerator()
    var queue = FairQueue<String>()
    var running: [FairQueue<String>.Owner] = []
    var added: [String] = []
    var ran: [String] = []
    func end() { _ = queue.end(running.remove(at: Int.random(in: running.indices, using: &random)), nanos: 1) }
    for number in 0..<10_000 {
      switch Int.random(in: 0..<3, using: &random) {
      case 0:
        let job = "\(Int.random(in: 1...4, using: &random))\("abcdef".randomElement(using: &random)!)-\(number)"
        queue.add(job, of: owner(job))
        added.append(job)
      case 1:
        if let next = queue.next() {
          #expect(!running.contains(next.owner))
          running.append(next.owner)
          ran.append(next.job)
        }
      default:
        if !running.isEmpty { end() }
      }
    }
    while !running.isEmpty { end() }
    while let next = queue.next() {
      ran.append(next.job)
      _ = queue.end(next.owner, nanos: 1)
    }
    #expect(ran.sorted() == added.sorted())
  }
}
