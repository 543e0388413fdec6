// twind restore

import ArgumentParser
import TwinStore
import TwinText

struct Restore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a data directory of a backup.",
    discussion: """
      Checks the backup as `twind verify` does, copies it, and checks the copy. The backup stays as it is. Afterwards
      `twind --data-dir` serves everything up to the backup's sequence.

      Sequences go on 4,294,967,296 (2^32) above the backup's: what the daemon issued after the backup is not issued
      again. Watches that were further than the backup get OUT_OF_RANGE and start again from a snapshot.

      EXAMPLES
        twinctl backup /backups/monday.twind
        twind restore /backups/monday.twind --data-dir /var/lib/twind
      """)

  @Argument(help: "What `twinctl backup` made.") var file: String
  @Option(help: "The data directory to make; missing or empty.") var dataDir: String
  @Flag(help: "Print one JSON object: sequence, twin_rows, byte_count.") var json = false

  func run() throws {
    let report = try saying { () throws(StoreError) in
      let line = ProgressLine()
      return try StoreRestore.run(backup: file, directory: dataDir, scratch: scratchDirectory) { line.show($0) }
    }
    guard json else {
      return print(
        "\(dataDir) holds everything up to sequence \(report.sequence): "
          + "\(FixedText.count(report.twinRowCount, "twin")), \(FixedText.bytes(UInt64(report.byteCount)))")
    }
    var object = JSONObject()
    object.add("sequence", report.sequence)
    object.add("twin_rows", report.twinRowCount)
    object.add("byte_count", report.byteCount)
    print(object.text)
  }
}
