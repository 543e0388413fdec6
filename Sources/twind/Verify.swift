// twind verify

import ArgumentParser
import Foundation
import TwinStore

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a data directory that is not in use.",
    discussion: """
      Reads everything and changes nothing. It runs SQLite's own check, compares the checksum of each row, looks for
      missing rows, derives each twin from its facts, and checks that the journal is intact and continues the database.

      After a crash SQLite's write-ahead log still exists, and reading it would change files. The database is then
      copied to $TMPDIR (default: /tmp), which needs as much space as the database, and the copy is removed afterwards.
      If verify is killed, it may leave a file twind-*.db there, which you can delete.

      The exit code is 0 if everything is intact, and 1 if it is not or cannot be checked. --json prints one object: ok,
      data_dir, sequence, parts (part, checked, unit, problems) and problems (part, path, place, reason, remedy).

      EXAMPLES
        twind verify --data-dir /var/lib/twind
        twind verify --data-dir /var/lib/twind --json | jq .problems
      """)

  @Option(help: "The data directory.") var dataDir: String
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let report = try saying { () throws(StoreError) in
      let line = ProgressLine()
      return try StoreCheck.run(directory: dataDir, scratch: scratchDirectory) { line.show($0) }
    }
    print(json ? report.json(of: dataDir) : report.text(of: dataDir))
    try exitIfDamaged(report)
  }
}

/// The directory for temporary copies of a database.
var scratchDirectory: String {
  ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
}

/// Runs work on files. Errors are printed on one line.
func saying<R>(_ body: () throws(StoreError) -> R) throws -> R {
  do throws(StoreError) {
    return try body()
  } catch {
    throw ValidationExit(error.description)
  }
}
