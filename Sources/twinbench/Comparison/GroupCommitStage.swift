// Sixteen connections that each write and wait for the disk: how many writes one sync serves.

import CTwindProto
import TTRPC
import TwinClient
import TwinRoutes

enum GroupCommitStage {
  private static let writers = 16

  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("\(writers) connections that write with SYNCED; daemon on all cores")
    let daemon = try TwindPeer(
      grounds.twind, in: grounds.scratch, name: "twind-group", core: nil, options: ["--reactors", "1"])
    try grounds.population.write(TwindClient(path: daemon.socket, timeout: .seconds(30)))
    let lanes = try (0..<writers).map { _ in try grounds.lane(daemon, .update, durability: .synced) }
    let admin = Client(path: daemon.socket)
    var syncRate = 0.0
    let writes = stage.add("twind SYNCED") {
      Contestant("twind UpdateTwin SYNCED, \(writers) writers", settings: "--reactors 1") { length in
        let before = try syncCount(admin)
        let load = Load(keyCount: grounds.keyCount, warmup: .zero, duration: length, intervalCount: 1)
        let score = Score(try load.run(lanes))
        let seconds = length / .seconds(1)
        syncRate = Double(try syncCount(admin) - before) / seconds
        return score
      }
    }
    let syncs = stage.add("twind SYNCED") {
      Contestant("syncs of its journal", settings: "in the same turn") { _ in [.rate: syncRate] }
    }
    stage.compare("group-commit/syncs", writes, syncs, .rate, budget: 8)
    stage.keepsOrder = true
    return stage
  }

  private static func syncCount(_ admin: Client) throws -> UInt64 {
    let arena = Arena()
    let message = arena.make(Twind__V1__GetStatsRequest.self)
    defer { withExtendedLifetime(arena) {} }
    return try admin.call(AdminServiceRoutes.getStats, UnsafePointer(message)).read { $0.pointee.journal_sync_count }
  }
}
