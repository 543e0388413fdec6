// A twin under its shard's lock, lent to a reader together with what that reader may see of it.

import TwinCore

/// What memory knows of a twin, good until this value ends and with it the lock. Judge, copy, let go: nothing that waits
/// or calls the system. No closure and no reference counted, as reads are made of this.
package struct LentTwin: ~Copyable {
  package enum Found {
    /// One that was deleted is an image with `isDeleted`.
    case image(Unmanaged<TwinImage.Storage>)
    /// It never existed.
    case absent
    /// It may be in the database: load it, and look again.
    case cold
  }

  package let found: Found
  /// Of the image.
  package let sight: Sight
  private let shard: Unmanaged<Shard>

  /// The shard's lock is held, and is this value's from now on.
  @inline(__always)
  init(_ found: Found, _ sight: Sight, _ shard: Unmanaged<Shard>) {
    self.found = found
    self.sight = sight
    self.shard = shard
  }

  deinit { shard._withUnsafeGuaranteedRef { $0.lock.unlock() } }

  /// To keep.
  var resident: Resident {
    switch found {
    case .image(let image): .image(TwinImage(storage: image.takeUnretainedValue()))
    case .absent: .absent
    case .cold: .cold
    }
  }
}
