// From the start of a process to the first answer, against reading the same bytes from SQLite.

import CLinux
import TwinClient

enum RestartStage {
  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("Ready after a restart with \(grounds.keyCount) twins")
    let first = try grounds.daemon("twind-restart")
    let valueBytes = Grounds.payloadBytes(try grounds.replyBytes(first))
    first.child.stop()
    let data = grounds.scratch.path("twind-restart-data")
    let twind = stage.add("twind") {
      Contestant("twind", settings: "process start, recovery, first health reply") { _ in
        let began = twind_monotonic_nanos()
        let peer = try TwindPeer(
          grounds.twind, in: grounds.scratch, name: "twind-again", core: grounds.core, data: data)
        let nanos = twind_monotonic_nanos() - began
        peer.child.stop()
        return [.time: Double(nanos)]
      }
    }
    let sqlite = stage.add("SQLite") {
      let path = grounds.scratch.path("restart.db")
      _ = try SQLiteLane(path, keyCount: grounds.keyCount, valueBytes: valueBytes)
      return Contestant("SQLite scan", settings: "open, and copy every row of the same bytes") { _ in
        let began = twind_monotonic_nanos()
        try SQLiteLane.scan(path, rows: grounds.keyCount)
        return [.time: Double(twind_monotonic_nanos() - began)]
      }
    }
    stage.compare("restart/sqlite-scan", twind, sqlite, .time, budget: 2)
    stage.turnsMax = 5
    return stage
  }
}
