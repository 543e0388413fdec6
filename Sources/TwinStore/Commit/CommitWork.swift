// One commit on its way through the section: what was decided, on which twins, and what it makes of them.

import TwinCore

struct CommitWork {
  let commit: Commit
  /// Each twin's change, in the order of the request; twins that do not change are left out.
  let changes: [TwinImage]
  /// The twins that change, as they are.
  let before: [TwinImage?]
  /// What was recalled of removals that they have forgotten, by their places.
  private let recalled: [Int: TwinImage]
  private let revisions: [UInt64]
  private let revisionsNow: [UInt64]
  private let factCount: Int

  init(
    _ command: Command, _ decision: Decision, _ images: [TwinImage?], recalling recollections: [Int: TwinImage],
    _ commit: Commit
  ) {
    self.commit = commit
    factCount = decision.facts.count
    var changes: [TwinImage] = []
    var before: [TwinImage?] = []
    var recalled: [Int: TwinImage] = [:]
    var revisions: [UInt64] = []
    for (index, twin) in command.twins.enumerated() {
      let facts = decision.facts[decision.ranges[index]]
      if facts.isEmpty {
        revisions.append(images[index]?.revision ?? 0)
        continue
      }
      changes.append(TwinImage.change(facts, named: twin.name, as: commit))
      if let removals = recollections[index] { recalled[before.count] = removals }
      before.append(images[index])
      revisions.append(commit.sequence)
    }
    self.changes = changes
    self.before = before
    self.recalled = recalled
    self.revisions = revisions
    revisionsNow = images.map { $0?.revision ?? 0 }
  }

  var result: CommitResult {
    CommitResult(sequence: commit.sequence, revisions: revisions, factCount: factCount)
  }

  /// The result when nothing changes; `last` is the sequence of the last commit.
  func unchanged(_ last: UInt64) -> CommitResult {
    CommitResult(sequence: last, revisions: revisionsNow, factCount: 0)
  }

  /// The twins afterwards.
  func apply() -> [TwinImage] {
    changes.indices.map { TwinCore.apply(changes[$0], to: before[$0], recalling: recalled[$0]) }
  }
}
