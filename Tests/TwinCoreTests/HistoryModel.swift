import TwinCore
import TwinFixtures

/// The two-axis rule said the slow way: every fact is kept, every question is answered from all of them.
struct HistoryModel {
  struct Fact {
    /// Nil = the twin was deleted.
    var attribute: String?
    /// Nil = removed.
    var value: Literal?
    var from: Int64
    /// Nil = open.
    var to: Int64?
    var recordedAt: Int64
    var sequence: UInt64
  }

  /// In the order of recording.
  var facts: [Fact] = []

  /// Adds what a change recorded, as protobuf-c reads it.
  mutating func add(_ change: TwinImage) {
    for fact in unpackTwin(Array(change.records)) ?? [] {
      facts.append(
        Fact(
          attribute: change.isDeleted ? nil : fact.name, value: fact.value == .none ? nil : fact.value,
          from: fact.validFrom, to: fact.validTo == 0 ? nil : fact.validTo, recordedAt: fact.recordedAt,
          sequence: fact.sequence))
    }
  }

  func known(at time: Int64) -> HistoryModel { HistoryModel(facts: facts.filter { $0.recordedAt <= time }) }

  /// Of the facts that hold: the newest by valid time among the last bounded one and those recorded after it.
  func winner(_ attribute: String, at time: Int64) -> Fact? {
    let lastDeletion = facts.lastIndex { $0.attribute == nil && $0.recordedAt <= time } ?? -1
    let holding = facts[(lastDeletion + 1)...].filter {
      $0.attribute == attribute && $0.from <= time && time < $0.to ?? .max
    }
    let start = holding.lastIndex { $0.to != nil } ?? 0
    let newest = holding.dropFirst(start).map(\.from).max()
    return holding.dropFirst(start).last { $0.from == newest }
  }

  /// Each attribute's winner that has a value, by name.
  func view(at time: Int64) -> [Seen] {
    Set(facts.compactMap(\.attribute)).sorted().compactMap { name in
      winner(name, at: time).flatMap { fact in
        fact.value.map { Seen(name: name, value: $0, sequence: fact.sequence) }
      }
    }
  }

  struct Seen: Equatable {
    let name: String
    let value: Literal
    let sequence: UInt64
  }
}

extension TwinImage {
  /// What a reader sees.
  var seen: [HistoryModel.Seen]? {
    unpacked?.map { HistoryModel.Seen(name: $0.name, value: $0.value, sequence: $0.sequence) }
  }
}
