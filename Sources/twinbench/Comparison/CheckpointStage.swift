// Reads while every twin is written to the database, against reads while nothing is.

import Histogram
import TwinClient

enum CheckpointStage {
  static func make(_ grounds: Grounds) throws -> Stage {
    let other = grounds.secondCore ?? grounds.core
    var stage = Stage(
      "Reads during a checkpoint of \(grounds.keyCount) twins; client and reactor on core \(grounds.core), the rest on \(other)"
    )
    let daemon = try TwindPeer(
      grounds.twind, in: grounds.scratch, name: "twind-checkpoint", core: nil,
      options: ["--checkpoint-interval", "1h", "--reactors", "1"])
    try daemon.child.pin("reactor", to: grounds.core, othersTo: other)
    let admin = TwindClient(path: daemon.socket, timeout: .seconds(60))
    try grounds.population.write(admin)
    _ = try admin.checkpoint()
    let reads = try grounds.lane(daemon)
    let writes = try grounds.lane(daemon, .update, window: 64)
    let idle = stage.add("twind") {
      Contestant("twind, idle", settings: "reads only") { length in
        Score(try load(grounds, length).run([reads]))
      }
    }
    let busy = stage.add("twind") {
      Contestant("twind, during a checkpoint", settings: "every twin was changed before") { _ in
        try dirty(grounds, writes)
        return Score(try reading(grounds, reads) { _ = try admin.checkpoint() })
      }
    }
    stage.compare("checkpoint-tail/idle", busy, idle, .tail, budget: 3)
    return stage
  }

  private static func load(_ grounds: Grounds, _ length: Duration) -> Load {
    Load(keyCount: grounds.keyCount, warmup: length / 8, duration: length, core: grounds.core, intervalCount: 1)
  }

  /// Changes every twin once.
  private static func dirty(_ grounds: Grounds, _ writes: WireLane) throws {
    try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { ended in
      for first in stride(from: 0, to: grounds.keyCount, by: 64) {
        let count = min(64, grounds.keyCount - first)
        for tag in 0..<count { try writes.begin(Call(operation: .update, key: first + tag), tag: UInt32(tag)) }
        try writes.flush()
        var left = count
        while left > 0 { left -= try writes.receive(until: .max, into: ended) }
      }
    }
  }

  /// Reads for as long as the body runs.
  private static func reading(
    _ grounds: Grounds, _ reads: WireLane, _ body: @escaping @Sendable () throws -> Void
  ) throws -> Measurement {
    let checkpoint = Outcome(body)
    var found = Measurement()
    // In short turns: how long a checkpoint takes is not known before.
    repeat { found.append(try load(grounds, .milliseconds(10)).run([reads])) } while checkpoint.isRunning
    if let problem = checkpoint.join() { throw problem }
    return found
  }
}
