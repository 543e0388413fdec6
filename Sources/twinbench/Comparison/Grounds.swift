// What all stages of a comparison share: the daemon's path, the cores, the twins, where peers live.

import Foundation
import TwinClient

struct Grounds {
  let twind: String
  let scratch: Scratch
  let population: Population
  let isQuick: Bool
  /// Of a stage on one core, and of the server when there are two.
  let core: Int
  /// Of the client when there are two cores; nil = the machine has one.
  let secondCore: Int?

  var keyCount: Int { population.count }
  /// How long one step of getting a peer ready may take.
  var preparationSeconds: Double { isQuick ? 8 : 180 }

  var requests: TwindRequests { TwindRequests(space: population.space, valueBytes: population.valueBytes) }

  /// A daemon with the twins in it.
  func daemon(_ name: String, options: [String] = []) throws -> TwindPeer {
    let daemon = try TwindPeer(twind, in: scratch, name: name, core: core, options: options)
    try population.write(TwindClient(path: daemon.socket, timeout: .seconds(30)))
    return daemon
  }

  /// A lane on which every call is this operation.
  func lane(
    _ daemon: TwindPeer, _ operation: Operation = .read, durability: Durability = .unspecified, window: Int = 1,
    isPolling: Bool = false
  ) throws -> WireLane {
    var requests = requests
    requests.durability = durability
    return try WireLane(
      daemon.socket, .ttrpc, window: window, [operation: RequestTemplate(requests.frame(operation))],
      keyCount: keyCount, isPolling: isPolling)
  }

  /// The bytes behind the header of twind's reply to a read.
  func replyBytes(_ daemon: TwindPeer) throws -> Int {
    let lane = try lane(daemon)
    try lane.begin(Call(operation: .read, key: 0), tag: 0)
    try lane.flush()
    guard let message = try lane.message(until: .max) else { throw BenchFailure("twind did not answer") }
    return message.count - 10
  }

  /// The bytes of the message inside: without the envelope's tag and length.
  static func payloadBytes(_ replyBytes: Int) -> Int {
    replyBytes - (replyBytes < 130 ? 2 : replyBytes < 16_387 ? 3 : 4)
  }

  /// The name of every twin, for requests to others.
  var key: String { "\(population.space)/customer/\(RequestTemplate.keyMark)" }

  /// A lane of the echo server, which gets what twind gets.
  func echoLane(_ socket: String, window: Int = 1, isPolling: Bool = false) throws -> WireLane {
    try WireLane(
      socket, .ttrpc, window: window, [.read: RequestTemplate(requests.frame(.read))], keyCount: keyCount,
      isPolling: isPolling)
  }
}
