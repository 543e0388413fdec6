// Merges several commits into one that has the last change of each attribute.

import TwinCore
import TwinStore

/// Changes by twin, in the order of their first commit.
struct CoalescedChanges {
  /// What happened to a twin: it was deleted, changed, or deleted and then changed.
  struct Twin {
    /// The commit that deleted it last.
    fileprivate(set) var deletion: SeenTwin?
    /// The commits after that.
    fileprivate(set) var changes: [SeenTwin] = []

    /// Whether there is no later change of the entry's attribute. A fact that does not hold at its commit's time
    /// neither replaces others nor is replaced.
    func isLast(_ change: TwinImage, _ entry: TwinImage.Entry) -> Bool {
      if entry.flags.contains(.notCurrent) { return true }
      let last = changes.last { $0.image.find(change.name(entry)).map { !$0.flags.contains(.notCurrent) } ?? false }
      return last.map { $0.image.isSame(as: change) } ?? false
    }
  }

  private var twins: [Twin] = []
  private var places: [[UInt8]: Int] = [:]

  mutating func add(_ change: SeenTwin) {
    let name = change.image.name.array
    let place = places[name] ?? twins.count
    if place == twins.count {
      twins.append(Twin())
      places[name] = place
    }
    if change.image.isDeleted {
      twins[place].deletion = change
      twins[place].changes = []
    } else {
      twins[place].changes.append(change)
    }
  }

  func forEach(_ body: (Twin) -> Void) { twins.forEach(body) }
}
