// The rules in force, and what they show of twins that are not lent by the cache: old states, facts, changes.

import Synchronization
import Threads
import TwinCore

/// Which rules are in force, for everyone who has no shard's lock.
final class Governance: Sendable {
  /// One change of the rules at a time.
  let lock = Lock()
  let stamp = Atomic<UInt64>(0)
  let restrictions = Atomic<UInt64>(0)
}

/// A twin, or an old state or change of one, and what a view shows of it.
package struct SeenTwin: Sendable {
  package let image: TwinImage
  package let sight: Sight

  package init(image: TwinImage, sight: Sight) {
    self.image = image
    self.sight = sight
  }
}

extension Store {
  /// A view that has another stamp is out of date.
  package var rulesStamp: UInt64 { governance.stamp.load(ordering: .acquiring) }

  /// How often rules were put in force. What is encoded without the lock of its twin's shard is encoded again if this
  /// has changed since before the sight was taken.
  package var restrictions: UInt64 { governance.restrictions.load(ordering: .sequentiallyConsistent) }

  package func view(agent: [UInt8], purpose: [UInt8]) -> View { cache.rules.view(agent: agent, purpose: purpose) }

  /// Puts rules in force. When it returns every sight that is taken follows them; what was encoded before may still be
  /// on its way to its reader.
  ///
  /// `restrictions` is raised after the rules are in the cache. If it were raised before, a reader could see the new
  /// number, take its sight under the old rules, and find the number unchanged when it sends what it has encoded.
  package func put(_ denials: [Denial]) {
    governance.lock.withLock {
      let rules = Rules(stamp: governance.stamp.load(ordering: .relaxed) + 1, denials)
      cache.put(rules)
      governance.stamp.store(rules.stamp, ordering: .releasing)
      governance.restrictions.add(1, ordering: .sequentiallyConsistent)
    }
  }

  /// What a view shows of an image that is not the cache's.
  package func seen(_ image: TwinImage, in view: View) -> SeenTwin {
    let rules = cache.rules
    let image = image.classified(by: rules)
    return SeenTwin(image: image, sight: rules.sight(of: image, in: view))
  }

  /// What a view shows of a change. It depends on the twin as it is now; nil: the twin has to be loaded first.
  package func seen(change: TwinImage, in view: View) -> SeenTwin? {
    let rules = cache.rules
    let kindIndex = rules.kindIndex(of: change.name)
    if kindIndex == 0 { return SeenTwin(image: change, sight: .all) }
    return cache.withTwin(change.name) { found, _ in
      guard case .image(let twin) = found else { return nil }
      let present = twin.classified(by: rules)
      return SeenTwin(image: change.classified(by: rules, as: present), sight: rules.sight(of: present, in: view))
    }
  }

  /// What a view shows of the history of a twin. It depends on the twin as it is now, which is read from the database if
  /// it is not in memory.
  package func historySight(_ name: [UInt8], in view: View) throws(StoreError) -> HistorySight {
    let rules = cache.rules
    let kindIndex = name.withUnsafeBytes { rules.kindIndex(of: TwinName(unchecked: $0)) }
    if kindIndex == 0 { return HistorySight(sight: .all, rules: rules, kindIndex: 0) }
    let twin = try (twin(name, in: view)?.image ?? .absent(name)).classified(by: rules)
    return HistorySight(sight: rules.sight(of: twin, in: view), rules: rules, kindIndex: kindIndex)
  }
}

/// What is shown of records that carry no classes.
package struct HistorySight: Sendable {
  package let sight: Sight
  fileprivate let rules: Rules
  fileprivate let kindIndex: Int

  /// An old state of the twin.
  package func seen(_ image: TwinImage) -> SeenTwin { SeenTwin(image: image.classified(by: rules), sight: sight) }

  /// Whether facts about an attribute are shown; without a name, the fact that deletes the twin.
  package func shows(_ attribute: UnsafeRawBufferPointer) -> Bool {
    sight.shows(rules.classBits(of: attribute, kindIndex: kindIndex))
  }
}
