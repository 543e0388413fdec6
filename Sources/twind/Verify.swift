// twind verify

import ArgumentParser
import Foundation
import TwinStore

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check everything in a data directory that no daemon has open.",
    discussion: """
      Reads every row and every record: SQLite's own check, the checksum of each row, that none is missing, that each
      twin's facts make the twin, the journal, and that its commits follow on what the database holds. Changes nothing.

      After a crash SQLite's write-ahead log is still there, and reading it would change files beside it: the
      database is then copied into $TMPDIR (else /tmp), which needs as much room as the database, and removed again. A
      verify that is killed while it copies leaves a file twind-*.db there, which may be deleted.

      Exit code 0 = everything is sound; 1 = it is not, or cannot be checked. With --json one object: ok, data_dir,
      sequence, parts (part, checked, unit, problems) and problems (part, path, place, reason, remedy).

      EXAMPLES
        twind verify --data-dir /var/lib/twind
        twind verify --data-dir /var/lib/twind --json | jq .problems
      """)

  @Option(help: "Where the twins are.") var dataDir: String
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

/// Where a copy of a database may be made for a while.
var scratchDirectory: String {
  ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
}

/// Runs what works on files: its errors are said on one line.
func saying<R>(_ body: () throws(StoreError) -> R) throws -> R {
  do throws(StoreError) {
    return try body()
  } catch {
    throw ValidationExit(error.description)
  }
}
