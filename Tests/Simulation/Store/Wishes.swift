// Makes up what agents ask for: every value set is the only one of its kind, so that a read tells which write it saw.

import CTwindProto
import TwinCore
import TwinFixtures

struct Wishes {
  static let registers = ["r0", "r1"]
  static let agents = ["ann", "bob", "cyd"]
  /// So many that no store with little memory has to refuse one, should no checkpoint succeed.
  private static let keysMax = 150

  let names: [String]
  private(set) var count: UInt64 = 0
  private var keyed: [Wish] = []
  private var random: Random
  /// One twin gets and loses more attributes than it can remember.
  private let hoards: Bool
  private var hoarded: [Bool] = Array(repeating: false, count: 4)

  init(twins: Int, random: Random, hoards: Bool = false) {
    self.hoards = hoards
    names = (0..<twins).map { "sim/thing/\($0)" }
    self.random = random
  }

  /// - Parameter revision: of a twin as it is now; 0 = it never existed.
  mutating func next(now: Int64, revision: (String) -> UInt64) -> Wish {
    if hoards && random.chance(400) { return hoard(now: now) }
    if !keyed.isEmpty && random.chance(80) { return again() }
    count += 1
    let kind: Wish.Kind = random.pick([.update, .update, .update, .update, .update, .batch, .batch, .delete])
    let twins = someNames(kind == .batch ? random.within(1...4) : 1).map { name in
      Wish.Twin(
        name: name, changes: kind == .delete ? [] : changes(now: now), precondition: precondition(kind, revision(name)))
    }
    let agent = random.pick(Self.agents)
    let hasKey = keyed.count < Self.keysMax && random.chance(250)
    let wish = Wish(
      number: count, kind: kind, twins: twins, agent: agent, key: hasKey ? "key-\(count)" : "", level: level())
    if hasKey { keyed.append(wish) }
    return wish
  }

  /// A request that was made before, with its key; now and then the key is another request's.
  private mutating func again() -> Wish {
    let wish = random.pick(keyed)
    if random.chance(900) { return wish }
    count += 1
    return Wish(
      number: count, kind: wish.kind, twins: wish.twins, agent: wish.agent, key: wish.key, level: wish.level)
  }

  /// Sets or removes many attributes of the first twin, or records something late about one of them.
  private mutating func hoard(now: Int64) -> Wish {
    count += 1
    let group = random.below(hoarded.count)
    var changes: [Wish.Change]
    if random.chance(500) {
      let what: Wish.Change.What = random.chance(300) ? .remove : .set(.string("\(count)"))
      let late = now - Int64(random.within(1...100_000))
      changes = [Wish.Change(attribute: "h\(group)_\(random.below(Self.groupSize))", what: what, from: late)]
    } else {
      let what: Wish.Change.What = hoarded[group] ? .remove : .set(.int(Int64(count)))
      hoarded[group].toggle()
      changes = (0..<Self.groupSize).map { Wish.Change(attribute: "h\(group)_\($0)", what: what) }
    }
    let twin = Wish.Twin(name: names[0], changes: changes)
    return Wish(number: count, kind: .update, twins: [twin], agent: Self.agents[0], key: "", level: level())
  }

  /// Four groups are more than a twin remembers, and two are as many as it may have.
  private static let groupSize = 160

  mutating func name() -> String { random.pick(names) }

  mutating func someNames(_ count: Int) -> [String] {
    var left = names
    return (0..<count).map { _ in left.remove(at: random.below(left.count)) }
  }

  private mutating func level() -> Twind__V1__Durability {
    random.pick([
      TWIND__V1__DURABILITY__DURABILITY_UNSPECIFIED, TWIND__V1__DURABILITY__DURABILITY_MEMORY,
      TWIND__V1__DURABILITY__DURABILITY_JOURNALED, TWIND__V1__DURABILITY__DURABILITY_SYNCED,
    ])
  }

  private mutating func precondition(_ kind: Wish.Kind, _ revision: UInt64) -> Command.Precondition {
    switch random.below(12) {
    case 0: .revision(revision)
    case 1: .revision(revision + 1)
    case 2: kind == .delete ? .none : .mustNotExist
    default: .none
    }
  }

  private mutating func changes(now: Int64) -> [Wish.Change] {
    var changes = Self.registers.filter { _ in random.chance(600) }.map { register in
      Wish.Change(attribute: register, what: random.chance(150) ? .remove : .set(.string(text())))
    }
    if random.chance(250) {
      changes.append(
        Wish.Change(
          attribute: "n", what: random.chance(700) ? .increment(Int64(random.within(0...3))) : .set(.int(7))))
    }
    if random.chance(350) { changes.append(timed(now: now)) }
    if changes.isEmpty && random.chance(900) {
      changes.append(Wish.Change(attribute: "r0", what: .set(.string(text()))))
    }
    return changes
  }

  /// About the past, the future, or a portion of time.
  private mutating func timed(now: Int64) -> Wish.Change {
    let from = random.chance(200) ? 0 : now + Int64(random.within(-20_000...20_000))
    let to = random.chance(500) ? (from == 0 ? now : from) + Int64(random.within(1...15_000)) : 0
    return Wish.Change(attribute: "t", what: random.chance(200) ? .remove : .set(.string(text())), from: from, to: to)
  }

  private mutating func text() -> String {
    let bytes = random.pick([0, 0, 0, 40, 300, 1_500])
    count += 1
    return "\(count)" + String(repeating: ".", count: bytes)
  }
}
