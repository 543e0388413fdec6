// One read at a time, client and server on one core.

import Foundation

enum ReadStage {
  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("One read at a time, client and server on core \(grounds.core)")
    let daemon = try grounds.daemon("twind-read")
    let (core, keys) = (grounds.core, grounds.keyCount)
    let replyBytes = try grounds.replyBytes(daemon)
    let payloadBytes = Grounds.payloadBytes(replyBytes)
    let payload = String(repeating: "v", count: payloadBytes)

    let twind = stage.add("twind") {
      Contestant("twind GetTwin", settings: "--dev", try grounds.lane(daemon), keyCount: keys, core: core)
    }
    let typed = stage.add("twind") {
      let requests = ClientRequests(grounds.requests, keyCount: keys)
      return Contestant(
        "twind GetTwin, Swift client", settings: "whole twins as Swift values", ClientLane(daemon.socket, requests),
        keyCount: keys, core: core)
    }
    let echo = stage.add("C echo") {
      let peer = try EchoPeer(in: grounds.scratch, name: "echo", core: core, replyBytes: replyBytes)
      return Contestant(
        "C echo", settings: "one thread on epoll", try grounds.echoLane(peer.socket), keyCount: keys, core: core)
    }
    let get = stage.add("Redis") { try redis(grounds, "redis-get", "GET", fill: ["SET", grounds.key, payload]) }
    let getAll = stage.add("Redis") {
      let fields = (0..<grounds.population.attributes).flatMap { [Population.attribute($0), grounds.population.value] }
      return try redis(grounds, "redis-hash", "HGETALL", fill: ["HSET", grounds.key] + fields)
    }
    let go = stage.add("Go ttrpc") {
      let program = try Peers.goServer(seconds: grounds.preparationSeconds)
      let socket = grounds.scratch.path("go.sock")
      let child = try grounds.scratch.start("go-ttrpc", [program, socket, "\(payloadBytes)"], core: core)
      try child.wait { FileManager.default.fileExists(atPath: socket) }
      return Contestant(
        "Go ttrpc", settings: "containerd's server, go build", try grounds.echoLane(socket), keyCount: keys, core: core)
    }
    let sqlite = stage.add("SQLite") {
      let lane = try SQLiteLane(grounds.scratch.path("sqlite.db"), keyCount: keys, valueBytes: payloadBytes)
      return Contestant(
        "SQLite SELECT", settings: "in process, WAL, prepared, mapped", lane, keyCount: keys, core: core)
    }
    stage.compareLatencies("read/c-echo", twind, echo, budget: 1.15, fastBudget: 1.10)
    stage.compareLatencies("read/redis-get", twind, get, budget: 0.95)
    stage.compareLatencies("read/redis-hgetall", twind, getAll)
    stage.compareLatencies("read/go-ttrpc", twind, go)
    stage.compareLatencies("read/sqlite", twind, sqlite)
    stage.compareLatencies("read-swift-client/redis-get", typed, get)
    return stage
  }

  private static func redis(_ grounds: Grounds, _ name: String, _ command: String, fill: [String]) throws -> Contestant
  {
    let peer = try RedisPeer(in: grounds.scratch, name: name, core: grounds.core)
    try peer.fill(fill, keyCount: grounds.keyCount)
    return Contestant(
      "Redis \(command)", settings: peer.settings, try peer.lane([command, grounds.key], keyCount: grounds.keyCount),
      keyCount: grounds.keyCount, core: grounds.core)
  }
}
