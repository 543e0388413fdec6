// What is read, compared with what the model knows.

import CTwindProto
import TwinCore
import TwinFixtures
import TwinStore

extension World {
  /// A twin as it is now.
  func check(_ image: TwinImage?, _ name: String) throws(HistoryFailure) {
    let now = clock.wallMicros()
    guard let image else {
      if model.image(name, at: now) != nil { throw HistoryFailure("\(name) is gone") }
      return
    }
    guard let expected = model.image(name, at: now) else { throw HistoryFailure("\(name) was never written") }
    if image.revision != expected.revision || image.isDeleted != expected.isDeleted {
      throw HistoryFailure("\(name) is at revision \(image.revision), not \(expected.revision)")
    }
    let current = image.nextChangeTime <= now ? image.derived(at: now) : image
    if !current.records.elementsEqual(expected.records) {
      throw HistoryFailure("\(name) at revision \(image.revision) is not what was written")
    }
    if !current.pendingRecords.elementsEqual(expected.pendingRecords) {
      throw HistoryFailure(
        "\(name) at revision \(image.revision) keeps for later what it should not, or lacks something")
    }
  }

  /// All facts of a twin: those written, and their fold is the twin.
  func check(_ history: TwinHistory?, _ name: String) throws(HistoryFailure) {
    let expected = model.facts(of: name)
    let found = history?.facts ?? []
    for (index, (one, other)) in zip(expected, found).enumerated()
    where one.sequence != other.sequence || one.ordinal != other.ordinal || one.message != other.message {
      throw HistoryFailure(
        "fact \(index) of \(name) is \(other.sequence).\(other.ordinal), and \(one.sequence).\(one.ordinal) was written"
      )
    }
    if found.count != expected.count {
      throw HistoryFailure("\(name) has \(found.count) facts, and \(expected.count) were written")
    }
    let now = clock.wallMicros()
    let fold = HistoryModel(found).view(at: now)
    let seen = model.image(name, at: now)?.seen ?? []
    if fold != seen { throw HistoryFailure("\(name) is not the fold of its facts: \(seen), not \(fold)") }
  }

  /// A twin as of another time.
  func check(
    _ store: Store, _ twin: TwinName, _ history: TwinHistory, validAt: Int64, knownAt: Int64
  ) throws(HistoryFailure) {
    let image: TwinImage?
    do throws(StoreError) {
      image = try store.image(twin, history, validAt: validAt, knownAt: knownAt)
    } catch {
      throw HistoryFailure("\(twin) as of another time: \(error)")
    }
    let expected = HistoryModel(history.facts).known(at: knownAt).view(at: validAt)
    if image?.seen ?? [] != expected {
      throw HistoryFailure(
        "\(twin) at \(validAt), as known at \(knownAt), is \(image?.seen ?? []), and should be \(expected)")
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
    let now = clock.wallMicros()
    if let extra = names.first(where: { model.image($0, at: now) == nil }) {
      throw HistoryFailure("a list has \(extra), which was never written")
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
