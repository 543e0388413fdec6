// One write at a time, client and server on one core, at each durability.

import TwinClient

enum WriteStage {
  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("One write at a time, client and server on core \(grounds.core)")
    let daemon = try grounds.daemon("twind-write")
    func twind(_ name: String, _ durability: Durability) throws -> Contestant {
      Contestant(
        "twind UpdateTwin \(name)", settings: "--dev", try grounds.lane(daemon, .update, durability: durability),
        keyCount: grounds.keyCount, core: grounds.core)
    }
    let memory = stage.add("twind MEMORY") { try twind("MEMORY", .memory) }
    let set = stage.add("Redis") { try redis(grounds, .no) }
    let journaled = stage.add("twind JOURNALED") { try twind("JOURNALED", .journaled) }
    let everySecond = stage.add("Redis") { try redis(grounds, .everysec) }
    let synced = stage.add("twind SYNCED") { try twind("SYNCED", .synced) }
    let always = stage.add("Redis") { try redis(grounds, .always) }
    let sync = stage.add("fdatasync") {
      let bytes = grounds.requests.frame(.update).count
      return Contestant(
        "fdatasync", settings: "\(bytes) bytes into a file written before",
        try SyncLane(grounds.scratch.path("sync"), byteCount: bytes), keyCount: 1, core: grounds.core)
    }
    stage.compare("write-memory/redis-set", memory, set)
    stage.compare("write-journaled/redis-everysec", journaled, everySecond, budget: 1.3)
    stage.compare("write-synced/redis-always", synced, always)
    stage.compare("write-synced/fdatasync", synced, sync, budget: 1.8)
    return stage
  }

  private static func redis(_ grounds: Grounds, _ persistence: RedisPeer.Persistence) throws -> Contestant {
    let peer = try RedisPeer(
      in: grounds.scratch, name: "redis-\(persistence.rawValue)", core: grounds.core, persistence)
    let padding = String(repeating: "v", count: max(0, grounds.population.valueBytes - RequestTemplate.valueMark.count))
    return Contestant(
      "Redis SET, appendonly \(persistence.rawValue)", settings: peer.settings,
      try peer.lane(["SET", grounds.key, RequestTemplate.valueMark + padding], keyCount: grounds.keyCount),
      keyCount: grounds.keyCount, core: grounds.core)
  }
}
