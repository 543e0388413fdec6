// What is counted, who is refused, and whom the others' hunger does not touch.

import TTRPC
import Testing

@Suite struct BufferBudgetTests {
  private static let mebibyte = 1 << 20
  private static let stranger = Peer(uid: Peer.current.uid &+ 1_000, gid: 1_000)

  @Test func whatIsGivenBackMayBeReservedAgain() {
    let budget = BufferBudget(bytesMax: 64 * Self.mebibyte)
    let share = budget.share(of: .current)
    #expect(share.reserve(60 * Self.mebibyte))
    #expect(!share.reserve(5 * Self.mebibyte))
    #expect(budget.byteCount == 60 * Self.mebibyte && share.byteCount == budget.byteCount)
    share.add(-60 * Self.mebibyte)
    #expect(share.reserve(5 * Self.mebibyte))
    share.add(-5 * Self.mebibyte)
    #expect(budget.byteCount == 0)
  }

  /// A connection that holds little is served: the one that holds much is then over its part.
  @Test func whoHoldsLittleIsNotRefusedForWhatOthersHold() {
    let budget = BufferBudget(bytesMax: 64 * Self.mebibyte)
    let (large, small) = (budget.share(of: .current), budget.share(of: .current))
    #expect(large.reserve(64 * Self.mebibyte))
    #expect(small.reserve(4 * Self.mebibyte))
    #expect(budget.isExceeded)
    #expect(large.byteCount > budget.fairBytes && small.byteCount <= budget.fairBytes)
    #expect(!large.reserve(1))
    large.add(-64 * Self.mebibyte)
    small.add(-4 * Self.mebibyte)
  }

  @Test func oneUserCannotTakeAll() {
    let budget = BufferBudget(bytesMax: 64 * Self.mebibyte)
    let shares = (0..<16).map { _ in budget.share(of: Self.stranger) }
    let granted = shares.count { $0.reserve(4 * Self.mebibyte) }
    #expect(granted == 12)
    let other = budget.share(of: .current)
    #expect(other.reserve(16 * Self.mebibyte))
    other.add(-16 * Self.mebibyte)
    for share in shares { share.add(-share.byteCount) }
  }

  @Test func sharesThatEndLeaveLargerPartsToOthers() {
    let budget = BufferBudget(bytesMax: 64 * Self.mebibyte)
    let first = budget.share(of: .current)
    do {
      let second = budget.share(of: .current)
      #expect(budget.fairBytes == 32 * Self.mebibyte)
      withExtendedLifetime(second) {}
    }
    #expect(budget.fairBytes == 64 * Self.mebibyte)
    withExtendedLifetime(first) {}
  }
}
