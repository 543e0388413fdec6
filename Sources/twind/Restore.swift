// twind restore

import ArgumentParser
import TwinStore
import TwinText

struct Restore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a data directory of a backup or of a history.",
    discussion: """
      Of a backup (`twinctl backup`): checks it as `twind verify` does, copies it, and checks the copy. It holds
      everything.

      Of a history (`twinctl export --history`): writes its facts with their agents, recorded times, sequences and all
      else that was recorded, deletions too, and checks the result. A read as of any time gives what it gave before. Not
      in a history: idempotency keys, and the place of watches, which start again from a snapshot.

      What `twinctl export` writes without --history holds the present only: `twinctl import` writes it to a daemon.

      The file stays as it is. A file that is damaged or not whole is refused, with the line, and then no directory is
      made. Afterwards `twind --data-dir` serves everything up to the file's sequence.

      Sequences go on 4,294,967,296 (2^32) above that one: what the daemon issued after it is not issued again.
      Watches that were further than that get OUT_OF_RANGE and start again from a snapshot.

      EXAMPLES
        twinctl backup /backups/monday.twind
        twind restore /backups/monday.twind --data-dir /var/lib/twind

        twinctl export --history -o twins.history
        twind restore twins.history --data-dir /var/lib/twind
        zcat twins.history.gz | twind restore - --data-dir /var/lib/twind
      """)

  @Argument(help: "What `twinctl backup` or `twinctl export --history` made, or - for a history on standard input.")
  var file: String
  @Option(help: "The data directory to make; missing or empty.") var dataDir: String
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
