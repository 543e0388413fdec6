import TTRPC
import Testing
import TwinClient

@Suite struct AdminServiceTests {
  @Test func infoStatsAndCheckpoint() throws {
    let fixture = try ServiceFixture()
    try fixture.twind.update("acme/customer/1", [.set("a", .int(1))])
    let info = try fixture.twind.serverInfo()
    #expect(info.version == "1.2.3" && info.sequence == 1 && info.durability == .journaled && info.isDev)
    #expect(info.limits.contains { $0.name == "twinBytesMax" && $0.value == 1 << 20 })
    #expect(info.limits.map(\.name) == info.limits.map(\.name).sorted())
    let before = try fixture.twind.stats().counts
    #expect(before.contains { $0.name == "dirty_twin_count" && $0.value == 1 })
    #expect(before.contains { $0.name == "log_dropped_count" && $0.value == 7 })
    let checkpoint = try fixture.twind.checkpoint()
    #expect(checkpoint.sequence == 1 && checkpoint.twinCount == 1)
    let after = try fixture.twind.stats().counts
    #expect(after.contains { $0.name == "dirty_twin_count" && $0.value == 0 })
  }

  @Test func onlyTheOwnUserAndRoot() throws {
    let fixture = try ServiceFixture()
    let stranger = fixture.client(uid: 4711)
    #expect(code { _ = try stranger.serverInfo() } == .permissionDenied)
    #expect(code { _ = try stranger.stats() } == .permissionDenied)
    #expect(code { _ = try stranger.checkpoint() } == .permissionDenied)
    #expect(code { _ = try fixture.client(uid: 0).serverInfo() } == nil)
    #expect(code { try stranger.update("acme/customer/1", [.set("a", .int(1))]) } == nil)
  }
}
