// What an agent sees for a purpose, under one set of rules: made once, then used for every read.

/// Immutable. A read takes its sight from here with a few loads: nothing is allocated or counted.
public final class View: @unchecked Sendable {
  /// Of one kind of twins.
  @usableFromInline
  struct KindPermit {
    /// The classes seen of every twin.
    @usableFromInline var base: UInt32
    @usableFromInline var firstGrant: UInt16
    @usableFromInline var grantCount: UInt16

    init(base: UInt32, firstGrant: UInt16, grantCount: UInt16) {
      self.base = base
      self.firstGrant = firstGrant
      self.grantCount = grantCount
    }
  }

  /// Shows more classes of a twin whose header has all the needed bits.
  @usableFromInline
  struct Grant {
    @usableFromInline var need: UInt64
    @usableFromInline var mask: UInt32

    init(need: UInt64, mask: UInt32) {
      self.need = need
      self.mask = mask
    }
  }

  /// The rules that it was made from.
  public let stamp: UInt64
  package let agent: [UInt8]
  package let purpose: [UInt8]
  /// By kind index.
  @usableFromInline let permits: UnsafeMutablePointer<KindPermit>
  @usableFromInline let grants: UnsafeMutablePointer<Grant>
  /// Rules do not apply to it.
  package let isUnlimited: Bool

  /// Shows everything, whatever the rules say: for twind itself.
  package static let unlimited = View(
    stamp: 0, agent: [], purpose: [], [KindPermit(base: ~0, firstGrant: 0, grantCount: 0)], [], isUnlimited: true)

  init(
    stamp: UInt64, agent: [UInt8], purpose: [UInt8], _ permits: [KindPermit], _ grants: [Grant],
    isUnlimited: Bool = false
  ) {
    self.stamp = stamp
    self.agent = agent
    self.purpose = purpose
    self.isUnlimited = isUnlimited
    self.permits = .allocate(capacity: permits.count)
    self.permits.initialize(from: permits, count: permits.count)
    self.grants = .allocate(capacity: grants.count)
    self.grants.initialize(from: grants, count: grants.count)
  }

  deinit {
    permits.deallocate()
    grants.deallocate()
  }

  /// What it shows of a twin. Its header was made under the same rules.
  @inlinable
  public func sight(kindIndex: UInt16, bits: UInt64) -> Sight {
    let permit = permits[Int(kindIndex)]
    if permit.grantCount == 0 { return Sight(mask: permit.base) }
    var mask = permit.base
    for index in 0..<Int(permit.grantCount) {
      let grant = grants[Int(permit.firstGrant) + index]
      if bits & grant.need == grant.need { mask |= grant.mask }
    }
    return Sight(mask: mask)
  }

  /// Whether what it shows of twins of a kind depends on the twin.
  package func dependsOnTwin(kindIndex: Int) -> Bool { permits[kindIndex].grantCount > 0 }
}
