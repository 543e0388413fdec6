// Exit codes and local errors.

import Glibc
import TTRPC

/// The exit codes. Documented in `twinctl --help`.
enum ExitStatus: Int32, Error {
  case done = 0
  case local = 1
  case invalid = 2
  case notFound = 3
  case conflict = 4
  case notPermitted = 5
  case unavailable = 6
  case limit = 7
  case other = 8
  case rejectedRows = 9

  init(_ code: StatusCode) {
    self =
      switch code {
      case .ok: .done
      case .invalidArgument, .outOfRange: .invalid
      case .notFound: .notFound
      case .aborted, .alreadyExists, .failedPrecondition: .conflict
      case .permissionDenied, .unauthenticated: .notPermitted
      case .unavailable, .deadlineExceeded: .unavailable
      case .resourceExhausted: .limit
      case .cancelled, .unknown, .unimplemented, .internal, .dataLoss: .other
      }
  }
}

/// A local error, with what to do about it.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// The error of the system call that has just failed.
  static func system(_ what: String) -> Failure { Failure("cannot \(what): \(String(cString: strerror(errno)))") }
}
