// What a caller may see: one AND of an attribute's class bits with the mask of its agent and purpose.

public struct Permit: Equatable, Sendable {
  /// The class bit of an attribute that no schema classifies.
  package static let ordinaryClass: UInt32 = 1

  /// Everything.
  package static let all = Permit(mask: ~0)

  public let mask: UInt32

  @inlinable
  public init(mask: UInt32) { self.mask = mask }

  @inlinable
  public func shows(_ classBits: UInt32) -> Bool { classBits & mask != 0 }
}
