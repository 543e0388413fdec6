// Names in order, from the index alone, through the connection that cannot write.

import Foundation
import GRDB
import TwinCore

extension Database {
  /// The first `limit` names that begin with `prefix` and come after `after`, deleted twins' among them.
  func names(prefix: [UInt8], after: [UInt8], limit: Int) throws(StoreError) -> [[UInt8]] {
    // One lower bound: given two, SQLite searches for one and passes over all names up to the other.
    let isFirst = after.withUnsafeBytes { after in prefix.withUnsafeBytes { compareBytes(after, $0) < 0 } }
    var sql = "SELECT name FROM twins WHERE name \(isFirst ? ">=" : ">") ?"
    var arguments: StatementArguments = [Data(isFirst ? prefix : after)]
    if let end = Database.end(of: prefix) {
      sql += " AND name < ?"
      arguments += [Data(end)]
    }
    sql += " ORDER BY name LIMIT \(limit)"
    return try Database.mapped(path, "read") { () throws in
      try reader.read { db in
        try Data.fetchAll(db.cachedStatement(sql: sql), arguments: arguments).map { [UInt8]($0) }
      }
    }
  }

  /// The first bytes that come after all that begin with `prefix`; nil when nothing does.
  private static func end(of prefix: [UInt8]) -> [UInt8]? {
    var end = prefix
    while let last = end.popLast() {
      if last < 0xff { return end + [last + 1] }
    }
    return nil
  }
}
