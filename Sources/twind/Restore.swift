// twind restore

import ArgumentParser
import TwinStore
import TwinText

struct Restore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Create a data directory from a backup or a history.",
    discussion: """
      A backup (`twinctl backup`) contains everything. It is checked like `twind verify` does, copied, and the copy is
      checked.

      A history (`twinctl export --history`) contains every fact with its agent, recorded time and sequence, including
      deletions. Reads as of any time return the same as before. It does not contain idempotency keys, and watches have
      to start again from a snapshot.

      `twinctl export` without --history contains only the present: use `twinctl import` to write it to a daemon.

      The file is not changed. If it is damaged or incomplete, the command names the line and creates no directory.
      Otherwise `twind --data-dir` then serves everything up to the file's sequence.

      New sequences start 4,294,967,296 (2^32) above the file's, so that sequences which the daemon issued after the
      backup are not issued again. Watches that were further ahead get OUT_OF_RANGE and start again from a snapshot.

      EXAMPLES
        twinctl backup /backups/monday.twind
        twind restore /backups/monday.twind --data-dir /var/lib/twind

        twinctl export --history -o twins.history
        twind restore twins.history --data-dir /var/lib/twind
        zcat twins.history.gz | twind restore - --data-dir /var/lib/twind
      """)

  @Argument(help: "A file from `twinctl backup` or `twinctl export --history`, or - for a history on standard input.")
  var file: String
  @Option(help: "The data directory to create; it must be missing or empty.") var dataDir: String
  @Flag(help: "Print one JSON object: sequence, twin_rows, byte_count.") var json = false

  func run() throws {
    let report = try saying { () throws(StoreError) in
      let line = ProgressLine()
      if HistoryFile.isOne(file) {
        let history = try HistoryFile(file)
        return try StoreRestore.run(
          history: file, through: history.sequence, directory: dataDir, scratch: scratchDirectory,
          next: { () throws(StoreError) in
            line.show(history.progress)
            return try history.next()
          }, progress: { line.show($0) })
      }
      return try StoreRestore.run(backup: file, directory: dataDir, scratch: scratchDirectory) { line.show($0) }
    }
    guard json else {
      return print(
        "\(dataDir) has everything up to sequence \(report.sequence): "
          + "\(FixedText.count(report.twinRowCount, "twin")), \(FixedText.bytes(UInt64(report.byteCount)))")
    }
    var object = JSONObject()
    object.add("sequence", report.sequence)
    object.add("twin_rows", report.twinRowCount)
    object.add("byte_count", report.byteCount)
    print(object.text)
  }
}
