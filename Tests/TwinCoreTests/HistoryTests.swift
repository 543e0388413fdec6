import CTwindProto
import Testing
import TwinCore
import TwinFixtures

/// Thousands of random histories against the model.
@Suite struct HistoryTests {
  /// One twin's history, made of requests, and its model.
  private final class Run {
    let scene = Scene()
    var model = HistoryModel()
    var generator: SeededGenerator

    init(_ seed: UInt64) {
      generator = SeededGenerator(seed)
      scene.now = 100
    }

    func random(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &generator) }

    /// One commit; false when it changed nothing.
    func step() throws -> Bool {
      scene.now += random(0...6)
      if scene.image?.isDeleted == false, generator.chance(1, of: 12) {
        try scene.delete()
      } else {
        let names = ["a", "b", "c"].filter { _ in generator.chance(1, of: 2) }
        let changes = names.map { change($0) }
        if changes.isEmpty { return false }
        if try scene.update(changes) == 0 {
          for change in changes { checkThatNothingChanges(change) }
          return false
        }
      }
      model.add(scene.lastChange!)
      return true
    }

    private func change(_ name: String) -> ChangePointer {
      let from = generator.chance(1, of: 2) ? 0 : scene.now + random(-25...25)
      let to = generator.chance(1, of: 2) ? 0 : max(from == 0 ? scene.now : from, from) + random(1...20)
      if generator.chance(1, of: 5) { return scene.requests.remove(name, from: from, to: to) }
      if from == 0, to == 0, generator.chance(1, of: 4) { return scene.requests.increment(name, .int(random(0...2))) }
      return scene.requests.set(name, .int(random(0...3)), from: from, to: to)
    }

    /// A change that made no fact would have shown at no time to come.
    private func checkThatNothingChanges(_ change: ChangePointer) {
      let (from, to) = (change.pointee.valid_from_time, change.pointee.valid_to_time)
      let name = String(cString: change.pointee.attribute)
      var value: Literal?
      let start = from == 0 ? scene.now : from
      if change.pointee.op_case == TWIND__V1__CHANGE__OP_SET { value = .int(change.pointee.set.pointee.int_value) }
      if change.pointee.op_case == TWIND__V1__CHANGE__OP_INCREMENT { value = model.winner(name, at: start)?.value }
      var other = model
      other.facts.append(
        HistoryModel.Fact(
          attribute: name, value: value, from: start, to: to == 0 ? nil : to, recordedAt: scene.now, sequence: .max))
      for time in scene.now...scene.now + 60 {
        #expect(other.winner(name, at: time)?.value == model.winner(name, at: time)?.value)
      }
    }
  }

  /// What readers see after each commit, and at all times after it without another one.
  @Test func theImageShowsWhatTheModelShows() throws {
    var commits = 0
    var late = 0
    for seed in 0..<600 as Range<UInt64> {
      let run = Run(seed)
      for _ in 0..<16 where try run.step() {
        commits += 1
        let (image, now) = (run.scene.image!, run.scene.now)
        #expect(image.seen == run.model.view(at: now), "seed \(seed)")
        #expect(image.isDeleted == (run.model.facts.last?.attribute == nil))
        for time in [now, image.nextChangeTime, run.random(now...now + 60), run.random(now...now + 60)]
        where time < .max {
          #expect(image.derived(at: time).seen == run.model.view(at: time), "seed \(seed), at \(time)")
        }
        checkMarks(run, now)
        late += run.scene.lastChange!.entries.count { $0.flags.contains(.notCurrent) }
      }
    }
    #expect(commits > 3_000 && late > 300)
  }

  /// Entries of a change are marked exactly when they do not hold now.
  private func checkMarks(_ run: Run, _ now: Int64) {
    let change = run.scene.lastChange!
    for (entry, fact) in zip(change.entries, unpackTwin(Array(change.records))!) where !change.isDeleted {
      let holds = run.model.winner(fact.name, at: now)?.sequence == change.revision
      #expect(entry.flags.contains(.notCurrent) == !holds)
      #expect(entry.flags.contains(.removal) == (fact.value == .none))
      #expect(entry.flags.contains(.bounded) == (fact.validTo != 0))
    }
  }

  /// Every moment, one after the other: derived step by step or at once, and no earlier than it says.
  @Test func timeAloneChangesWhatItShould() throws {
    for seed in 10_000..<10_012 as Range<UInt64> {
      let run = Run(seed)
      for _ in 0..<12 where try run.step() {
        let (image, now) = (run.scene.image!, run.scene.now)
        var step = image
        var isSame = true
        for time in now...now + 55 {
          let derived = image.derived(at: time)
          #expect(derived.seen == run.model.view(at: time), "seed \(seed), at \(time)")
          isSame = isSame && time < image.nextChangeTime
          if isSame { #expect(derived.records.elementsEqual(image.records)) }
          if time >= step.nextChangeTime { step = step.derived(at: time) }
          #expect(step.records.elementsEqual(derived.records))
          #expect(step.nextChangeTime == derived.nextChangeTime && derived.nextChangeTime > time)
          #expect(derived.revision == image.revision && derived.recordedAt == image.recordedAt)
        }
      }
    }
  }

  /// What was true at V, as known at K.
  @Test func asOfEveryTime() throws {
    for seed in 20_000..<20_006 as Range<UInt64> {
      let run = Run(seed)
      for _ in 0..<16 { _ = try run.step() }
      for known in Set(run.model.facts.map(\.recordedAt)) {
        let model = run.model.known(at: known)
        let facts = Array(run.scene.facts.prefix(model.facts.count))
        for time in Int64(70)...Int64(230) {
          let image = try TwinImage.asOf(run.scene.image!.name, facts, validAt: time)
          if let last = model.facts.last, last.attribute == nil, last.recordedAt <= time {
            #expect(image == nil)
            continue
          }
          #expect(image?.seen == model.view(at: time), "seed \(seed), valid at \(time), known at \(known)")
          #expect(image?.revision == model.facts.last?.sequence && image?.recordedAt == model.facts.last?.recordedAt)
        }
      }
    }
  }

  /// What a journal and a database bring back makes the same bytes, wherever time was looked at in between.
  @Test func replayMakesTheSameBytes() throws {
    for seed in 30_000..<30_150 as Range<UInt64> {
      let run = Run(seed)
      var before: TwinImage?
      var last: Int64 = 100
      for _ in 0..<16 {
        let isCommit = try run.step()
        guard isCommit, let image = run.scene.image, let change = run.scene.lastChange else { continue }
        let replayed = try decoded(encoded([change]), sequence: change.revision)
        #expect(replayed.changes.count == 1)
        #expect(apply(replayed.changes[0], to: before).isIdentical(to: image), "seed \(seed)")
        #expect(replayed.changes[0].isIdentical(to: change))
        if let before {
          let derived = before.derived(at: run.random(last...run.scene.now))
          #expect(apply(replayed.changes[0], to: derived).isIdentical(to: image), "seed \(seed)")
        }
        let loaded = try TwinImage.decode(
          name: image.name, agent: image.agent.bytes, revision: image.revision, recordedAt: image.recordedAt,
          isDeleted: image.isDeleted, records: image.records, pending: image.pendingRecords)
        #expect(loaded.isIdentical(to: image), "seed \(seed)")
        before = image
        last = run.scene.now
      }
    }
  }

  /// The order in which open facts arrive is of no account.
  @Test func openFactsMayArriveInAnyOrder() throws {
    var generator = SeededGenerator(40_000)
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    for _ in 0..<40 {
      let times = (60..<160 as Range<Int64>).shuffled(using: &generator).prefix(10).map { $0 }
      let names = times.map { _ in generator.chance(1, of: 2) ? "a" : "b" }
      let isRemoval = times.map { _ in generator.chance(1, of: 4) }
      func scene(_ order: [Int]) -> Scene {
        let scene = Scene()
        for (step, index) in order.enumerated() {
          let commit = Commit(
            sequence: UInt64(step + 1), recordedAt: 100 + Int64(step), agent: Text(requests.text("x")), purpose: .empty)
          let kind: Fact.Change =
            isRemoval[index] ? .removal : .set(UnsafePointer(requests.value(.int(times[index]))))
          let fact = Fact(
            kind, of: Text(requests.text(names[index])), ordinal: 0, validFrom: times[index], in: commit)
          scene.record(.change([fact], named: TwinName(unchecked: Text(requests.text("a/b/c")).bytes), as: commit))
        }
        return scene
      }
      let (one, other) = (scene(Array(times.indices)), scene(times.indices.shuffled(using: &generator)))
      for time in Int64(50)...170 {
        func values(_ image: TwinImage?) -> [String]? { image?.unpacked?.map { "\($0.name) \($0.value)" } }
        let expected = values(try TwinImage.asOf(one.image!.name, one.facts, validAt: time))
        #expect(values(try TwinImage.asOf(other.image!.name, other.facts, validAt: time)) == expected)
        if time >= 110 {
          #expect(values(one.image!.derived(at: time)) == expected)
          #expect(values(other.image!.derived(at: time)) == expected)
        }
      }
    }
  }
}
