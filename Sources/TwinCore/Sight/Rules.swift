// Who may see which attributes, compiled: each kind of twin has its classes of attributes and its conditions.
//
// An attribute is in the class of every denial that names it; one that no denial names is in the ordinary class. A
// denial may concern only some twins of its kind. Which ones is decided once for an image and kept in the header's
// `bits`, so that a read compares numbers only.

/// Hides attributes of some twins from an agent, for a purpose.
package struct Denial: Sendable {
  package let kind: [UInt8]
  package let attributes: AttributeMask
  /// nil: every agent.
  package let agent: [UInt8]?
  /// nil: every purpose.
  package let purpose: [UInt8]?
  /// Whether a twin of that kind is concerned. It is called with the lock of the twin's shard held.
  package let concerns: @Sendable (TwinImage) -> Bool

  package init(
    kind: [UInt8], attributes: AttributeMask, agent: [UInt8]? = nil, purpose: [UInt8]? = nil,
    concerns: @escaping @Sendable (TwinImage) -> Bool = { _ in true }
  ) {
    self.kind = kind
    self.attributes = attributes
    self.agent = agent
    self.purpose = purpose
    self.concerns = concerns
  }

  fileprivate func applies(to agent: [UInt8], _ purpose: [UInt8]) -> Bool {
    (self.agent ?? agent) == agent && (self.purpose ?? purpose) == purpose
  }
}

package final class Rules: Sendable {
  /// Of a daemon without rules: everyone sees everything.
  package static let none = Rules(stamp: 0, [])
  /// Class 0 is the ordinary one.
  package static let denialsPerKindMax = 31

  /// Later rules have a greater one.
  package let stamp: UInt64
  /// The denials of each kind that has any. A kind's index is its place here, plus one: 0 stands for all other kinds.
  private let kinds: [[Denial]]
  private let indexes: [[UInt8]: Int]

  package init(stamp: UInt64, _ denials: [Denial]) {
    self.stamp = stamp
    var kinds: [[Denial]] = []
    var indexes: [[UInt8]: Int] = [:]
    for denial in denials {
      let index = indexes[denial.kind] ?? kinds.count + 1
      if index > kinds.count { kinds.append([]) }
      indexes[denial.kind] = index
      kinds[index - 1].append(denial)
      precondition(kinds[index - 1].count <= Self.denialsPerKindMax, "a kind has at most 31 denials")
    }
    self.kinds = kinds
    self.indexes = indexes
  }

  package var kindCount: Int { kinds.count + 1 }

  package func kindIndex(of twin: TwinName) -> Int { kinds.isEmpty ? 0 : indexes[[UInt8](twin.kind)] ?? 0 }

  private func denials(_ kindIndex: Int) -> [Denial] { kindIndex == 0 ? [] : kinds[kindIndex - 1] }

  /// The classes of an attribute.
  package func classBits(of attribute: UnsafeRawBufferPointer, kindIndex: Int) -> UInt32 {
    if attribute.isEmpty { return Sight.noClass }
    var bits: UInt32 = 0
    for (index, denial) in denials(kindIndex).enumerated() where denial.attributes.covers(attribute) {
      bits |= Self.classBit(index)
    }
    return bits == 0 ? Sight.ordinaryClass : bits
  }

  /// The denials that leave this twin alone, a bit each.
  package func bits(of twin: TwinImage, kindIndex: Int) -> UInt64 {
    var bits: UInt64 = 0
    for (index, denial) in denials(kindIndex).enumerated() where !denial.concerns(twin) { bits |= 1 << UInt64(index) }
    return bits
  }

  /// What an agent sees of each kind, for a purpose.
  package func view(agent: [UInt8], purpose: [UInt8]) -> View {
    var permits = [View.KindPermit(base: ~0, firstGrant: 0, grantCount: 0)]
    var grants: [View.Grant] = []
    for denials in kinds {
      let first = grants.count
      var base = ~UInt32(0)
      for (index, denial) in denials.enumerated() where denial.applies(to: agent, purpose) {
        base &= ~Self.classBit(index)
        grants.append(View.Grant(need: 1 << UInt64(index), mask: Self.classBit(index)))
      }
      permits.append(
        View.KindPermit(base: base, firstGrant: UInt16(first), grantCount: UInt16(grants.count - first)))
    }
    return View(stamp: stamp, agent: agent, purpose: purpose, permits, grants)
  }

  /// What a view, which may be one of older rules, shows of an image that these rules have classified.
  package func sight(of image: TwinImage, in view: View) -> Sight {
    precondition(image.rulesStamp == stamp, "the classes of an image are those of the rules")
    if view.isUnlimited { return .all }
    let view = view.stamp == stamp ? view : self.view(agent: view.agent, purpose: view.purpose)
    return view.sight(kindIndex: image.kindIndex, bits: image.bits)
  }

  private static func classBit(_ denial: Int) -> UInt32 { 1 << UInt32(denial + 1) }
}
