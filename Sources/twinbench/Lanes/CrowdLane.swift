// Many connections on one thread: each call goes to the next of them.

import CBench
import CLinux
import Glibc

final class CrowdLane: Lane {
  private let lanes: [WireLane]
  private let epoll: Int32
  private var next = 0
  private var begun: [WireLane] = []
  private let tokens = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: 256)
  private var ready = 0
  private var readyCount = 0

  /// Each lane's window must be as large as the crowd's.
  init(_ lanes: [WireLane]) throws {
    self.lanes = lanes
    epoll = twind_epoll_create()
    if epoll < 0 { throw BenchFailure("cannot create an epoll instance: are all files of this process in use?") }
    for (index, lane) in lanes.enumerated() {
      if twind_epoll_set(epoll, EPOLL_CTL_ADD, lane.fd, twind_readable, UInt64(index)) != 0 {
        throw BenchFailure("cannot watch connection \(index)")
      }
    }
  }

  deinit {
    if epoll >= 0 { close(epoll) }
    tokens.deallocate()
  }

  func begin(_ call: Call, tag: UInt32) throws {
    let lane = lanes[next]
    next = (next + 1) % lanes.count
    try lane.begin(call, tag: tag)
    begun.append(lane)
  }

  func flush() throws {
    for lane in begun { try lane.flush() }
    begun.removeAll(keepingCapacity: true)
  }

  func receive(until deadline: UInt64, into ended: UnsafeMutableBufferPointer<UInt32>) throws -> Int {
    while true {
      if ready == readyCount {
        ready = 0
        readyCount = Int(max(bench_epoll_wait(epoll, deadline, tokens.baseAddress, 256), 0))
        if readyCount == 0 { return 0 }
      }
      let lane = lanes[Int(tokens[ready])]
      ready += 1
      let count = try lane.receive(until: 0, into: ended)
      if count > 0 { return count }
    }
  }

  /// Hands every message that has come to the body, until the deadline.
  func messages(until deadline: UInt64, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    let count = Int(max(bench_epoll_wait(epoll, deadline, tokens.baseAddress, 256), 0))
    for index in 0..<count {
      while let message = try lanes[Int(tokens[index])].message(until: 0) { body(message) }
    }
  }
}
