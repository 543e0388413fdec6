// When calls end by themselves: deadlines, cancels, a dead connection. Each ends once, and its work is told.

import CLinux
import EchoService
import Glibc
import InteropRoutes
import Synchronization
import TTRPC
import Testing

@Suite struct DeadlineTests {
  /// A router whose calls stay open and count who was told to stop.
  final class Waiting: @unchecked Sendable {
    var router = Router()
    var calls: [ServerCall] = []
    let worked = Atomic(0)
    let stopped = Atomic(0)

    init() {
      router.unary(EchoRoutes.echo) { [unowned self] (_, call) throws(RPCError) in
        worked.add(1, ordering: .relaxed)
        keep(call.deferred())
      }
      router.stream(EchoRoutes.echoStream) { [unowned self] (call) throws(RPCError) in keep(call) }
    }

    private func keep(_ call: ServerCall) {
      call.onCancelled = { [unowned self] in stopped.add(1, ordering: .relaxed) }
      calls.append(call)
    }

    var stops: Int { stopped.load(ordering: .relaxed) }
  }

  @Test func aNegativeTimeoutFailsWithoutWork() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    for (index, timeout) in [Int64(-1), .min].enumerated() {
      let id = UInt32(2 * index + 1)
      #expect(harness.exchange(.request(id, "Echo", timeoutNanos: timeout)).map(\.code) == [.deadlineExceeded])
    }
    #expect(waiting.worked.load(ordering: .relaxed) == 0)
  }

  @Test func noTimeoutAndHugeTimeoutsNeverPass() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    harness.now = .max - 1_000
    harness.exchange(.request(1, "Echo"), .request(3, "Echo", timeoutNanos: .max))
    #expect(waiting.calls.map(\.deadlineNanos) == [.max, .max])
    #expect(harness.session.tick(now: .max - 1) == .max)
    #expect(harness.session.streamCount == 2)
  }

  @Test func aTimeoutCountsFromTheFramesArrival() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    harness.exchange(
      .request(1, "Echo", timeoutNanos: 500), .request(3, "EchoStream", flags: .remoteOpen, timeoutNanos: 900))
    #expect(waiting.calls.map(\.deadlineNanos) == [harness.now + 500, harness.now + 900])
    #expect(harness.session.tick(now: harness.now + 499) == harness.now + 500)
    #expect(harness.output() == [])
    #expect(harness.session.tick(now: harness.now + 500) == harness.now + 900)
    #expect(harness.output().map(\.code) == [.deadlineExceeded])
    #expect(waiting.stops == 1)
    #expect(harness.session.tick(now: harness.now + 5_000) == .max)
    #expect(harness.output().map(\.code) == [.deadlineExceeded])
    #expect(waiting.stops == 2)
    // The replies that come now are late: nobody hears of them.
    for call in waiting.calls { #expect(call.isEnded) }
    waiting.calls[0].reply(byteCount: 0) { _ in }
    waiting.calls[1].finish()
    #expect(harness.output() == [])
  }

  @Test func aReplyAfterTheDeadlineIsDeadlineExceeded() {
    var router = Router()
    router.unary(EchoRoutes.echo) { (_, call) throws(RPCError) in
      while twind_monotonic_nanos() <= call.deadlineNanos { usleep(100) }
      call.reply(byteCount: 0) { _ in }
    }
    router.unary(EchoRoutes.sleep) { (_, call) throws(RPCError) in
      let later = call.deferred()
      while twind_monotonic_nanos() <= later.deadlineNanos { usleep(100) }
      later.reply(byteCount: 0) { _ in }
    }
    let harness = SessionHarness(router)
    harness.now = twind_monotonic_nanos()
    let answers = harness.exchange(
      .request(1, "Echo", timeoutNanos: 1_000_000), .request(3, "Sleep", timeoutNanos: 1_000_000))
    #expect(answers.map(\.code) == [.deadlineExceeded, .deadlineExceeded])
    #expect(harness.session.streamCount == 0)
  }

  @Test func cancelStopsTheWorkWithoutAnAnswer() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    harness.exchange(.request(1, "Echo"), .request(3, "EchoStream", flags: .remoteOpen))
    #expect(harness.exchange(.cancel(1), .cancel(3), .cancel(1)) == [])
    #expect(waiting.stops == 2)
    #expect(harness.session.streamCount == 0)
    #expect(harness.exchange(.cancel(5)).map(\.code) == [.invalidArgument])
  }

  @Test func aDeadConnectionStopsAllWork() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    harness.exchange(.request(1, "Echo"), .request(3, "EchoStream", flags: .remoteOpen))
    harness.session.close()
    #expect(waiting.stops == 2)
    for call in waiting.calls { #expect(call.isEnded) }
    #expect(harness.output() == [])
  }

  @Test func whoeverDidNotEndACallItselfIsToldThatItEnded() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    for id: UInt32 in [1, 3, 5] { harness.exchange(.request(id, "EchoStream", flags: .remoteOpen)) }
    // A message too large for its route, a message too large for a frame, a shutdown.
    waiting.calls[0].onMessage = { (_, _) throws(RPCError) in throw RPCError(.aborted, "no") }
    #expect(harness.exchange(.data(1)).map(\.code) == [.aborted])
    waiting.calls[1].send(byteCount: 5 << 20) { _ in }
    #expect(harness.output().map(\.code) == [.resourceExhausted])
    harness.session.drain()
    #expect(harness.output().map(\.code) == [.unavailable])
    #expect(waiting.stops == 3)
  }

  @Test func callsThatEndOneAnotherAreAnsweredOnce() {
    let waiting = Waiting()
    let harness = SessionHarness(waiting.router)
    harness.exchange(.request(1, "Echo", timeoutNanos: 500), .request(3, "Echo", timeoutNanos: 500))
    waiting.calls[0].onCancelled = { waiting.calls[1].fail(RPCError(.aborted, "the other one ended")) }
    _ = harness.session.tick(now: harness.now + 500)
    #expect(harness.output().map(\.code) == [.deadlineExceeded, .aborted])
  }
}
