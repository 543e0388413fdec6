// Reads: now, as of another time, several at once, lists; all compared with the model.

import TwinCore
import TwinFixtures
import TwinStore

extension StoreLife {
  func read(_ store: Store) throws(HistoryFailure) {
    let name = world.wishes.name()
    let agent = random.pick(Wishes.agents)
    world.counts.reads += 1
    guard let found = try readable(store, { () throws(TwinError) in try store.image(of: name) }) else { return }
    try world.expected.check(found.image, name)
    let attributes = found.image.flatMap { unpackTwin([UInt8]($0.records)) } ?? []
    for register in Wishes.registers where random.chance(700) {
      var value: String?
      if case .string(let text)? = attributes.first(where: { $0.name == register })?.value { value = text }
      world.registers.read("\(name) \(register)", value, by: agent)
    }
    if found.sequence != world.model.head {
      throw HistoryFailure("a read of \(name) is current up to \(found.sequence), not \(world.model.head)")
    }
  }

  func readBatch(_ store: Store) throws(HistoryFailure) {
    let names = world.wishes.someNames(3)
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    var found: [TwinImage?] = []
    let twins = names.map { TwinName(unchecked: Text(requests.text($0)).bytes) }
    var isCold = false
    let sequence = store.withTwins(twins, in: .unlimited) { _, resident, _ in
      switch resident {
      case .image(let image): found.append(image)
      case .absent: found.append(nil)
      case .cold:
        found.append(nil)
        isCold = true
      }
    }
    if isCold { return }
    for (name, image) in zip(names, found) { try world.expected.check(image, name) }
    if sequence != world.model.head { throw HistoryFailure("a batch is read at \(sequence), not \(world.model.head)") }
  }

  func readHistory(_ store: Store, isNested: Bool = false) throws(HistoryFailure) {
    let name = world.wishes.name()
    if random.chance(250) { try world.tell(store) }
    let now = world.now
    let (validAt, knownAt) = (now + Int64(random.within(-200_000...50_000)), now - Int64(random.within(0...200_000)))
    let isDisturbed = !isNested && random.chance(500)
    let pages = HistoryLimits(facts: random.within(1...8), changes: random.within(1...8))
    try withName(name) { (twin) throws(HistoryFailure) in
      let found = try readable(store) { () throws(StoreError) in
        isDisturbed
          ? try reading(store) { () throws(StoreError) in try store.facts(of: twin, limits: pages) }
          : try store.facts(of: twin, limits: pages)
      }
      guard let found, !world.disk.isCrashed else { return }
      let expected = world.expected
      try expected.check(found, name)
      guard let history = found else { return }
      for (valid, known) in [(validAt, knownAt), (now, now)] {
        try expected.check(store, twin, history, validAt: valid, knownAt: known)
      }
      if history.from == .min { return }
      world.counts.trimmed += 1
      try expected.check(store, twin, history, validAt: max(validAt, history.from), knownAt: history.from)
    }
  }

  func list(_ store: Store) throws(HistoryFailure) {
    var names: [String] = []
    let limit = random.within(1...30)
    while true {
      let after = Array((names.last ?? "").utf8)
      let page = try readable(store) { () throws(StoreError) in
        try store.names(prefix: Array("sim/".utf8), after: after, limit: limit)
      }
      guard let page else { return }
      names += page.names.map { String(decoding: $0, as: UTF8.self) }
      if page.isLast { break }
    }
    try world.expected.check(names)
  }

  /// Nil when the disk does not let it be read.
  private func readable<R, E: Error>(_ store: Store, _ body: () throws(E) -> R) throws(HistoryFailure) -> R? {
    do throws(E) {
      return try body()
    } catch {
      world.note("error: \(error)")
      if let error = error as? StoreError { try judge(error, store) } else { noteFailure(store) }
      if world.disk.isCrashed || diskHasFailed { return nil }
      throw HistoryFailure("an undisturbed read fails: \(error)")
    }
  }
}

/// Lends a name as bytes.
func withName<R, E: Error>(_ name: String, _ body: (TwinName) throws(E) -> R) throws(E) -> R {
  let bytes = Array(name.utf8)
  return try bytes.withUnsafeBufferPointer { (bytes) throws(E) in
    try body(TwinName(unchecked: UnsafeRawBufferPointer(bytes)))
  }
}

extension Store {
  /// The twin from memory, where it is loaded to first; what it is current up to.
  func image(of name: String) throws(TwinError) -> (image: TwinImage?, sequence: UInt64) {
    try withName(name) { (twin) throws(TwinError) in
      for _ in 0..<3 {
        let (found, sequence) = withTwin(twin, in: .unlimited) { ($0, $2) }
        switch found {
        case .image(let image): return (image, sequence)
        case .absent: return (nil, sequence)
        case .cold: _ = try pin([twin.array], bytesMax: 1)
        }
      }
      // There is no room for it.
      do throws(StoreError) {
        return (try self.twin(Array(name.utf8), in: .unlimited)?.image, head)
      } catch {
        throw TwinError(.unavailable, "\(error)")
      }
    }
  }
}
