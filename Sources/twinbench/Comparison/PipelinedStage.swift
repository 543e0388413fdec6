// 64 reads in flight on one connection, client and server on one core.

enum PipelinedStage {
  private static let inFlight = 64

  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("\(inFlight) reads in flight on one connection, client and server on core \(grounds.core)")
    let daemon = try grounds.daemon("twind-pipelined")
    let (core, keys) = (grounds.core, grounds.keyCount)
    let replyBytes = try grounds.replyBytes(daemon)
    let payload = String(repeating: "v", count: Grounds.payloadBytes(replyBytes))
    let twind = stage.add("twind") {
      Contestant(
        "twind GetTwin ×64", settings: "--dev", try grounds.lane(daemon, window: inFlight), keyCount: keys,
        inFlight: inFlight, core: core)
    }
    let redis = stage.add("Redis") {
      let peer = try RedisPeer(in: grounds.scratch, name: "redis-pipelined", core: core)
      try peer.fill(["SET", grounds.key, payload], keyCount: keys)
      return Contestant(
        "Redis GET ×64", settings: peer.settings,
        try peer.lane(["GET", grounds.key], window: inFlight, keyCount: keys),
        keyCount: keys, inFlight: inFlight, core: core)
    }
    let echo = stage.add("C echo") {
      let peer = try EchoPeer(in: grounds.scratch, name: "echo-pipelined", core: core, replyBytes: replyBytes)
      return Contestant(
        "C echo ×64", settings: "one thread on epoll", try grounds.echoLane(peer.socket, window: inFlight),
        keyCount: keys, inFlight: inFlight, core: core)
    }
    stage.compare("pipelined-64/redis-get", twind, redis, .rate, budget: 1.3)
    stage.compare("pipelined-64/c-echo", twind, echo, .rate)
    return stage
  }
}
