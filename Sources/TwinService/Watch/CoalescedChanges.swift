// Several commits as one: of each attribute only the last change.

import TwinCore

/// Changes by twin, in the order of their first commit.
struct CoalescedChanges {
  /// What happened to one twin: it was deleted, was changed, or was deleted and then changed.
  struct Twin {
    /// The commit that deleted it last.
    fileprivate(set) var deletion: TwinImage?
    /// The commits after that.
    fileprivate(set) var changes: [TwinImage] = []

    /// Whether no later change is about the entry's attribute. What does not hold at its commit's time stands in for
    /// nothing else, and nothing stands in for it.
    func isLast(_ change: TwinImage, _ entry: TwinImage.Entry) -> Bool {
      if entry.flags.contains(.notCurrent) { return true }
      let last = changes.last { $0.find(change.name(entry)).map { !$0.flags.contains(.notCurrent) } ?? false }
      return last.map { $0.isSame(as: change) } ?? false
    }
  }

  private var twins: [Twin] = []
  private var places: [[UInt8]: Int] = [:]

  mutating func add(_ change: TwinImage) {
    let name = change.name.array
    let place = places[name] ?? twins.count
    if place == twins.count {
      twins.append(Twin())
      places[name] = place
    }
    if change.isDeleted {
      twins[place].deletion = change
      twins[place].changes = []
    } else {
      twins[place].changes.append(change)
    }
  }

  func forEach(_ body: (Twin) -> Void) { twins.forEach(body) }
}
