// What a process asks of the disk, and how a test makes it fail.

import TwinStore

/// The calls that are counted, and that can fail.
package enum Operation: String, CaseIterable, Sendable {
  case read, write, sync, allocate, truncate, open, rename, unlink, makeDirectory, openDirectory, syncDirectory

  /// Those that a signal can interrupt; an implementation of FileSystem repeats an interrupted open itself.
  var isInterruptible: Bool {
    switch self {
    case .read, .write, .allocate, .truncate: true
    default: false
    }
  }
}

/// An error that an operation reports instead of doing its work: the first that it fits, or every one from there on.
package struct Fault: Sendable {
  /// Not before this one, counted from 1 over the life of the disk.
  package let operation: Int
  package let errno: CInt
  package let lasts: Bool
  /// Nil = whatever the operation is.
  package let only: Operation?

  package init(at operation: Int, errno: CInt, lasts: Bool = false, only: Operation? = nil) {
    self.operation = operation
    self.errno = errno
    self.lasts = lasts
    self.only = only
  }

  func hits(_ number: Int, _ kind: Operation) -> Bool {
    number >= operation && (only ?? kind) == kind
  }
}

package enum Crash: Sendable {
  /// kill -9: what was written stays.
  case process
  /// What was not synced is lost in part.
  case power
}
