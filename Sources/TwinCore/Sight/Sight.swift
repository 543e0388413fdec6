// What one reader sees of one twin, for one purpose.

/// The classes of attributes that a reader may see. The store lends it together with the image that it belongs to, and
/// everything that encodes an image takes one.
public struct Sight: Equatable, Sendable {
  /// The class of an attribute that no rule names.
  package static let ordinaryClass: UInt32 = 1
  /// A record in no class is always seen: the fact that deletes a twin is about no attribute.
  package static let noClass: UInt32 = 0

  package static let all = Sight(mask: ~0)
  /// No attribute at all.
  package static let none = Sight(mask: 0)

  /// One bit for each class that is seen.
  public let mask: UInt32

  @inlinable
  public init(mask: UInt32) { self.mask = mask }

  /// Whether all the classes that an attribute is in are seen.
  @inlinable
  public func shows(_ classBits: UInt32) -> Bool { classBits & ~mask == 0 }
}
