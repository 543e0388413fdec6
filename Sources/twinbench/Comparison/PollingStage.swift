// One read at a time on two cores: both ends busy-polling, against both ends sleeping.

enum PollingStage {
  /// Longer than any gap between two calls.
  private static let busyPoll = ["--busy-poll", "1ms"]

  /// nil on a machine with one core.
  static func make(_ grounds: Grounds) throws -> Stage? {
    guard let client = grounds.secondCore else { return nil }
    var stage = Stage("One read at a time on two cores: server on core \(grounds.core), client on core \(client)")
    let keys = grounds.keyCount
    let asleep = try grounds.daemon("twind-two-cores")
    let replyBytes = try grounds.replyBytes(asleep)
    let payload = String(repeating: "v", count: Grounds.payloadBytes(replyBytes))
    let sleeping = stage.add("twind") {
      Contestant("twind GetTwin, asleep", settings: "--dev", try grounds.lane(asleep), keyCount: keys, core: client)
    }
    let polling = stage.add("twind --busy-poll") {
      guard try Tool.run([grounds.twind, "serve", "--help"]).contains("--busy-poll") else {
        throw Missing(peer: "twind --busy-poll", why: "this twind has no such option")
      }
      let daemon = try grounds.daemon("twind-polling", options: busyPoll)
      return Contestant(
        "twind GetTwin, polling", settings: busyPoll.joined(separator: " ") + ", client polling",
        try grounds.lane(daemon, isPolling: true), keyCount: keys, core: client)
    }
    let echo = stage.add("C echo") {
      let peer = try EchoPeer(
        in: grounds.scratch, name: "echo-polling", core: grounds.core, replyBytes: replyBytes, isPolling: true)
      return Contestant(
        "C echo, polling", settings: "both ends spin", try grounds.echoLane(peer.socket, isPolling: true),
        keyCount: keys,
        core: client)
    }
    let echoAsleep = stage.add("C echo") {
      let peer = try EchoPeer(in: grounds.scratch, name: "echo-two", core: grounds.core, replyBytes: replyBytes)
      return Contestant(
        "C echo, asleep", settings: "one thread on epoll", try grounds.echoLane(peer.socket), keyCount: keys,
        core: client)
    }
    let redis = stage.add("Redis") {
      let peer = try RedisPeer(in: grounds.scratch, name: "redis-two", core: grounds.core)
      try peer.fill(["SET", grounds.key, payload], keyCount: keys)
      return Contestant(
        "Redis GET, asleep", settings: peer.settings, try peer.lane(["GET", grounds.key], keyCount: keys),
        keyCount: keys,
        core: client)
    }
    stage.compare("polling/c-echo-polling", polling, echo, budget: 1.25)
    stage.compare("polling/redis-get", polling, redis, budget: 0.2)
    stage.compare("two-cores/c-echo", sleeping, echoAsleep)
    stage.compare("two-cores/redis-get", sleeping, redis)
    return stage
  }
}
