// Writes: asked of the store and of the model, and compared.

import TwinCore
import TwinStore

extension StoreLife {
  /// - Parameter mustBeTaken: there is room: it must not be refused for want of it.
  func write(_ store: Store, isNested: Bool = false, mustBeTaken: Bool = false) throws(HistoryFailure) {
    let now = world.now
    let model = world.model
    let wish = world.wishes.next(now: now) { model.image($0, at: now)?.revision ?? 0 }
    do {
      try wish.withCommand { command in
        let expected = try model.expect(command, wish, at: now, recordedAt: world.nextCommitTime)
        let write = Write(wish, expected, world)
        let outcome: CommitOutcome?
        do throws(TwinError) {
          outcome = try ask(store, command, wish, isNested)
        } catch {
          if mustBeTaken && error.code == .resourceExhausted {
            throw HistoryFailure("there is room, and it is refused: \(error)")
          }
          return try refused(write, error, store)
        }
        if let outcome { try settle(write, outcome, store) } else { write.fail() }
      }
    } catch let failure as HistoryFailure {
      throw HistoryFailure("\(wish): \(failure)")
    } catch {
      throw HistoryFailure("\(wish) is no command: \(error)")
    }
  }

  /// Nil: not now.
  private func ask(
    _ store: Store, _ command: Command, _ wish: Wish, _ isNested: Bool
  ) throws(TwinError) -> CommitOutcome? {
    if isNested || random.chance(500) {
      if case .done(let outcome) = try store.tryCommit(command, wish.hash) { return outcome }
      if isNested { return nil }
    }
    return try store.commit(command, wish.hash)
  }

  private func settle(_ write: Write, _ outcome: CommitOutcome, _ store: Store) throws(HistoryFailure) {
    let model = world.model
    world.note("\(write.wish): \(outcome.result.sequence) \(outcome.result.revisions), \(outcome.durability)")
    if world.disk.isCrashed { return try write.doubt() }
    if hasFailed { throw HistoryFailure("a write succeeds though the disk has failed") }
    switch write.expected {
    case .refusal(let error): throw HistoryFailure("it succeeds, and should fail: \(error)")
    case .answer(let result):
      if outcome.result != result { throw HistoryFailure("it gets \(outcome.result), not \(result)") }
    case .entry(let entry, let result):
      if outcome.result != result { throw HistoryFailure("it gets \(outcome.result), not \(result)") }
      write.append(entry)
      world.now = max(world.now, entry.recordedAt)
      if entry.isCommit { world.counts.commits += 1 }
    }
    let covered = model.log.count
    if outcome.durability >= .journaled { model.reached(.journaled, covered) }
    if outcome.durability < .synced { return write.acknowledge() }
    store.whenDurable(outcome) { [world] error in
      if error != nil || world.disk.isCrashed { return }
      world.model.reached(.synced, covered)
      write.acknowledge()
    }
  }

  private func refused(_ write: Write, _ error: TwinError, _ store: Store) throws(HistoryFailure) {
    world.note("\(write.wish): \(error.code)")
    world.counts.refusals += 1
    if world.disk.isCrashed { return try write.doubt() }
    switch (write.expected, error.code) {
    case (.refusal(let expected), _) where expected.code == error.code && !hasFailed:
      if expected.detail != error.detail { throw HistoryFailure("it fails with \(error), not \(expected)") }
      write.fail()
    case (_, .unavailable):
      if hasFailed { return write.fail() }
      noteFailure(store)
      if !diskHasFailed { throw HistoryFailure("an undisturbed process refuses it: \(error)") }
      // A twin that could not be read for it stops only this write.
      if hasFailed { try write.doubt() } else { write.fail() }
    case (_, .resourceExhausted) where !hasFailed:
      write.fail()
    default: throw HistoryFailure("it fails with \(error)")
    }
  }
}
