// What a store must show at one moment: a model of what was written, the time, and how much history is kept.
//
// Promises: what is read now, and as of any time that retention keeps, is compared with everything that was ever
// written; what is not kept may be asked for only in vain.

import CTwindProto
import TwinCore
import TwinFixtures
import TwinStore

struct Expected {
  let model: StoreModel
  /// The store's present.
  let now: Int64
  let rule: Retention.Rule

  /// A twin as it is now.
  func check(_ image: TwinImage?, _ name: String) throws(HistoryFailure) {
    guard let image else {
      if model.image(name, at: now) != nil { throw HistoryFailure("\(name) is gone") }
      return
    }
    guard let expected = model.image(name, at: now) else { throw HistoryFailure("\(name) was never written") }
    if image.revision != expected.revision || image.isDeleted != expected.isDeleted {
      throw HistoryFailure("\(name) is at revision \(image.revision), not \(expected.revision)")
    }
    if image.nextChangeTime <= now {
      throw HistoryFailure("\(name) is shown as it was until \(image.nextChangeTime), and it is \(now)")
    }
    if !image.records.elementsEqual(expected.records) {
      throw HistoryFailure("\(name) at revision \(image.revision) is not what was written")
    }
    if !image.holdsSame(forgetting: expected) {
      throw HistoryFailure(
        "\(name) at revision \(image.revision) keeps for later what it should not, or lacks something")
    }
  }

  /// All facts of a twin that are kept: those written, and their fold is the twin.
  func check(_ history: TwinHistory?, _ name: String) throws(HistoryFailure) {
    let found = history?.facts ?? []
    let from = history?.from ?? .min
    try checkKept(name, from: from)
    var count = 0
    for (place, written) in model.facts(of: name).enumerated() {
      if count < found.count, written.isSame(as: found[count]) {
        count += 1
      } else if written.recordedAt > from {
        throw HistoryFailure(
          "fact \(place) of \(name), \(written.fact.sequence).\(written.fact.ordinal), is not there or not what was written"
        )
      }
    }
    if count < found.count {
      let extra = found[count]
      throw HistoryFailure("\(name) has fact \(extra.sequence).\(extra.ordinal), which was not written there")
    }
    let fold = HistoryModel(found).view(at: now)
    let seen = model.image(name, at: now)?.seen ?? []
    if fold != seen { throw HistoryFailure("\(name) is not the fold of its facts: \(seen), not \(fold)") }
  }

  /// A twin as of another time.
  func check(
    _ store: Store, _ twin: TwinName, _ history: TwinHistory, validAt: Int64, knownAt: Int64
  ) throws(HistoryFailure) {
    let question = "\(twin) at \(validAt), as known at \(knownAt)"
    let isKept = min(validAt, knownAt) >= history.from
    do throws(TwinError) {
      try history.check(twin, validAt: validAt, knownAt: knownAt)
    } catch {
      if isKept || error.code != .outOfRange { throw HistoryFailure("\(question): \(error)") }
      return
    }
    if !isKept { throw HistoryFailure("\(question) is answered, and only what was since \(history.from) is kept") }
    let image: TwinImage?
    do throws(StoreError) {
      image = try store.image(twin, history, validAt: validAt, knownAt: knownAt)
    } catch {
      throw HistoryFailure("\(question): \(error)")
    }
    let all = HistoryModel(model.facts(of: String(decoding: twin.bytes, as: UTF8.self)).map(\.fact))
    let expected = all.known(at: knownAt).view(at: validAt)
    if image?.seen ?? [] != expected {
      throw HistoryFailure("\(question), is \(image?.seen ?? []), and should be \(expected)")
    }
  }

  /// A list of names: everything that exists; what was deleted may be among them.
  func check(_ names: [String]) throws(HistoryFailure) {
    if names != names.sorted() || Set(names).count != names.count {
      throw HistoryFailure("a list is out of order: \(names)")
    }
    let found = Set(names)
    if let missing = model.liveNames.first(where: { !found.contains($0) }) {
      throw HistoryFailure("a list lacks \(missing)")
    }
    if let extra = names.first(where: { model.image($0, at: now) == nil }) {
      throw HistoryFailure("a list has \(extra), which was never written")
    }
  }

  /// All that a store says of a twin, now and at the edge of what is kept of it.
  func check(_ store: Store, _ name: String) throws {
    try withName(name) { twin in
      let history = try store.facts(of: twin)
      try check(history, name)
      try check(try store.image(of: name).image, name)
      guard let history else { return }
      try check(store, twin, history, validAt: now, knownAt: now)
      if history.from == .min { return }
      for (validAt, knownAt) in [(history.from, history.from), (history.from, now), (now, history.from - 1)] {
        try check(store, twin, history, validAt: validAt, knownAt: knownAt)
      }
    }
  }
}

// MARK: - Retention

extension Expected {
  /// Whether the rule lets everything up to `from` go.
  private func checkKept(_ name: String, from: Int64) throws(HistoryFailure) {
    if from == .min { return }
    switch rule {
    case .all: break
    case .age(let age):
      if from <= now - age { return }
    case .newest(let count):
      let facts = model.facts(of: name)
      if facts.count >= count, from < facts[facts.count - count].recordedAt { return }
    }
    throw HistoryFailure("\(name) is kept from \(from) on at \(now), and the rule is to keep \(rule)")
  }

  /// Whether facts of this commit may be gone.
  func mayLack(_ sequence: UInt64) -> Bool {
    guard let end = model.end(of: sequence) else { return false }
    let commit = model.log[end - 1]
    switch rule {
    case .all: return false
    case .age(let age): return commit.recordedAt <= now - age
    case .newest(let count):
      return commit.changes.contains { name, _ in
        model.facts(of: name).suffix(count).first.map { $0.fact.sequence > sequence } ?? false
      }
    }
  }
}

extension HistoryModel {
  /// Facts as they are stored.
  fileprivate init(_ facts: [StoredFact]) {
    self.init()
    for stored in facts {
      guard let message = twind__v1__attribute__unpack(nil, stored.message.count, stored.message) else { continue }
      defer { twind__v1__attribute__free_unpacked(message, nil) }
      let fact = unpacked(message)
      self.facts.append(
        Fact(
          attribute: fact.name.isEmpty ? nil : fact.name, value: fact.value == .none ? nil : fact.value,
          from: fact.validFrom, to: fact.validTo == 0 ? nil : fact.validTo, recordedAt: fact.recordedAt,
          sequence: fact.sequence))
    }
  }
}
