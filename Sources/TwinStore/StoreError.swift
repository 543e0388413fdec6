// Why the store cannot open, write or close: names the file and says what to do. For the operator, where TwinError
// is for the caller of an RPC.

import Glibc

package enum StoreError: Error, Equatable, Sendable {
  /// Another process holds the data directory.
  case inUse(directory: String)
  /// The database was written by a newer version; it has not been touched.
  case newerFormat(path: String, version: Int, supported: Int)
  /// The file is some other program's database; it has not been touched.
  case foreign(path: String)
  /// Part of what belongs together is gone.
  case missing(path: String, because: String)
  /// A row cannot be what was written.
  case corrupt(path: String, table: String, row: String, reason: String)
  case io(path: String, operation: String, errno: CInt)
  case database(path: String, operation: String, message: String)
  case closed
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .inUse(let directory):
      "the data directory \(directory) is in use by another twind: stop it, or give this one another --data-dir"
    case .newerFormat(let path, let version, let supported):
      "\(path) has format \(version) and this version reads up to \(supported): "
        + "start the newer twind that wrote it, or another --data-dir"
    case .foreign(let path):
      "\(path) is not twind's: move it away, or give another --data-dir"
    case .missing(let path, let because):
      "\(path) is missing, but \(because): put it back from a backup, or start with an empty --data-dir"
    case .corrupt(let path, let table, let row, let reason):
      "\(path), table \(table), row \(row): \(reason). Restore the data directory from a backup, "
        + "or delete that row with sqlite3 to go on without it"
    case .io(let path, let operation, let error):
      "cannot \(operation) \(path): \(String(cString: strerror(error)))"
    case .database(let path, let operation, let message):
      "cannot \(operation) \(path): \(message)"
    case .closed:
      "the store is closed"
    }
  }
}
