// What a twin with provenance takes in memory, against a Redis hash of the same names and values.

import TwinClient

enum MemoryStage {
  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("Resident memory of \(grounds.keyCount) twins, by growth")
    var turn = 0
    let twind = stage.add("twind") {
      Contestant("twind twin", settings: "8 fields of provenance for each attribute") { _ in
        turn += 1
        let peer = try TwindPeer(grounds.twind, in: grounds.scratch, name: "twind-memory-\(turn)", core: nil)
        return try growth(peer.child, grounds) {
          try grounds.population.write(TwindClient(path: peer.socket, timeout: .seconds(30)))
        }
      }
    }
    let redis = stage.add("Redis") {
      _ = try Peers.redis()
      let fields = (0..<grounds.population.attributes).flatMap { [Population.attribute($0), grounds.population.value] }
      return Contestant("Redis hash", settings: "names and values, no provenance") { _ in
        turn += 1
        let peer = try RedisPeer(in: grounds.scratch, name: "redis-memory-\(turn)", core: nil)
        return try growth(peer.child, grounds) {
          try peer.fill(["HSET", grounds.key] + fields, keyCount: grounds.keyCount)
        }
      }
    }
    stage.compare("memory/redis-hash", twind, redis, .memory, budget: 3)
    stage.turnsMax = 3
    return stage
  }

  /// How much a process grows while the body runs; it ends then.
  private static func growth(_ child: Child, _ grounds: Grounds, _ body: () throws -> Void) throws -> Score {
    defer { child.stop() }
    guard let before = ProcessFigures(pid: child.pid) else {
      throw BenchFailure("cannot read the memory use of \(child.name)")
    }
    try body()
    guard let after = ProcessFigures(pid: child.pid) else {
      throw BenchFailure("cannot read the memory use of \(child.name)")
    }
    return [.memory: (Double(after.residentBytes) - Double(before.residentBytes)) / Double(grounds.keyCount)]
  }
}
