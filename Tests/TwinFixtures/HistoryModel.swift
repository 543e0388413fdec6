// The two-axis rule of history, for tests to compare with: who counts at a time, judged from all facts.

import TwinCore

/// The two-axis rule said the slow way: every fact is kept, every question is answered from all of them.
package struct HistoryModel {
  package struct Fact {
    /// Nil = the twin was deleted.
    package var attribute: String?
    /// Nil = removed.
    package var value: Literal?
    package var from: Int64
    /// Nil = open.
    package var to: Int64?
    package var recordedAt: Int64
    package var sequence: UInt64

    package init(
      attribute: String?, value: Literal?, from: Int64, to: Int64?, recordedAt: Int64, sequence: UInt64
    ) {
      self.attribute = attribute
      self.value = value
      self.from = from
      self.to = to
      self.recordedAt = recordedAt
      self.sequence = sequence
    }
  }

  /// In the order of recording.
  package var facts: [Fact] = []

  package init(facts: [Fact] = []) { self.facts = facts }

  /// Adds what a change recorded, as protobuf-c reads it.
  package mutating func add(_ change: TwinImage) {
    for fact in unpackTwin(Array(change.records)) ?? [] {
      facts.append(
        Fact(
          attribute: change.isDeleted ? nil : fact.name, value: fact.value == .none ? nil : fact.value,
          from: fact.validFrom, to: fact.validTo == 0 ? nil : fact.validTo, recordedAt: fact.recordedAt,
          sequence: fact.sequence))
    }
  }

  package func known(at time: Int64) -> HistoryModel { HistoryModel(facts: facts.filter { $0.recordedAt <= time }) }

  /// Of the facts that hold: the newest by valid time among the last bounded one and those recorded after it.
  package func winner(_ attribute: String, at time: Int64) -> Fact? {
    let lastDeletion = facts.lastIndex { $0.attribute == nil && $0.recordedAt <= time } ?? -1
    let holding = facts[(lastDeletion + 1)...].filter {
      $0.attribute == attribute && $0.from <= time && time < $0.to ?? .max
    }
    let start = holding.lastIndex { $0.to != nil } ?? 0
    let newest = holding.dropFirst(start).map(\.from).max()
    return holding.dropFirst(start).last { $0.from == newest }
  }

  /// Each attribute's winner that has a value, by name.
  package func view(at time: Int64) -> [Seen] {
    Set(facts.compactMap(\.attribute)).sorted().compactMap { name in
      winner(name, at: time).flatMap { fact in
        fact.value.map { Seen(name: name, value: $0, sequence: fact.sequence) }
      }
    }
  }

  package struct Seen: Equatable {
    package let name: String
    package let value: Literal
    package let sequence: UInt64
  }
}

extension TwinImage {
  /// What a reader sees.
  package var seen: [HistoryModel.Seen]? {
    unpacked?.map { HistoryModel.Seen(name: $0.name, value: $0.value, sequence: $0.sequence) }
  }
}
