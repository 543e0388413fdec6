// twind's Swift client: whole twins become Swift values, as for a program that uses it.
//
// It waits for the oldest call first, as a program does. In an open loop calls that are due meanwhile begin late, which
// their latencies show.

import CTwindProto
import TTRPC
import TwinClient
import TwinRoutes

final class ClientLane: Lane {
  private enum Pending {
    case read(PendingCall<Twind__V1__GetTwinResponse>)
    case update(PendingCall<Twind__V1__UpdateTwinResponse>)
    case batch(PendingCall<Twind__V1__BatchGetTwinsResponse>)
    case watch(ClientStream<Twind__V1__WatchTwinsRequest, Twind__V1__WatchTwinsResponse>)
  }

  private let client: Client
  private let requests: ClientRequests
  private var pending: [(call: Pending, tag: UInt32)] = []
  private var first = 0
  /// What was read last: a reply that nobody looks at need not be decoded.
  private(set) var last: Twin?

  init(_ socket: String, _ requests: ClientRequests, busyPoll: Duration = .zero) {
    var options = Client.Options()
    options.busyPoll = busyPoll
    options.timeout = .seconds(30)
    client = Client(path: socket, options: options)
    self.requests = requests
  }

  func begin(_ call: Call, tag: UInt32) throws {
    requests.fill(call)
    let begun: Pending =
      switch call.operation {
      case .read: .read(try client.start(TwinServiceRoutes.getTwin, UnsafePointer(requests.read)))
      case .update: .update(try client.start(TwinServiceRoutes.updateTwin, UnsafePointer(requests.update)))
      case .batch: .batch(try client.start(TwinServiceRoutes.batchGetTwins, UnsafePointer(requests.batch)))
      case .watch: .watch(try client.stream(TwinServiceRoutes.watchTwins, UnsafePointer(requests.watch)))
      }
    pending.append((begun, tag))
  }

  func flush() { client.flush() }

  func receive(until deadline: UInt64, into ended: UnsafeMutableBufferPointer<UInt32>) throws -> Int {
    let (call, tag) = pending[first]
    switch call {
    case .read(let call): last = try call.wait().read { $0.pointee.twin.map { Twin($0) } }
    case .update(let call): _ = try call.wait()
    case .batch(let call): try decode(call.wait())
    case .watch(let stream):
      while let part = try stream.next() {
        let isComplete = part.read { part in
          for twin in UnsafeBufferPointer(start: part.pointee.snapshot, count: part.pointee.n_snapshot) {
            last = twin.map { Twin($0) }
          }
          return part.pointee.snapshot_complete != 0
        }
        if isComplete { break }
      }
      stream.cancel()
    }
    first += 1
    if first == pending.count {
      pending.removeAll(keepingCapacity: true)
      first = 0
    }
    ended[0] = tag
    return 1
  }

  private func decode(_ reply: Received<Twind__V1__BatchGetTwinsResponse>) {
    reply.read { reply in
      for result in UnsafeBufferPointer(start: reply.pointee.results, count: reply.pointee.n_results) {
        guard let result, result.pointee.result_case == TWIND__V1__TWIN_RESULT__RESULT_TWIN else { continue }
        last = Twin(result.pointee.twin)
      }
    }
  }
}
