// twinctl backup

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Backup: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy everything to one file while the daemon serves. For its own user and root.",
    discussion: """
      The daemon writes FILE.partial, which only its own user can read, checks it,
      and renames it to FILE. Ctrl-C removes it. If the daemon dies, FILE.partial
      stays; the next backup to FILE replaces it. `twind restore` creates a data
      directory from a backup, where new sequences start 2^32 above the backup's.

      EXAMPLES
        twinctl backup /backups/monday.twind
        twind restore /backups/monday.twind --data-dir /var/lib/twind
      """)

  @Argument(help: "The file to create. It must not exist; its directory must.") var file: String
  @OptionGroup var common: CommonArguments

  func run() throws {
    // However long it takes, unless a limit is given.
    let client = TwindClient(
      path: common.socket ?? TwindClient.defaultSocket, agent: common.agent, timeout: common.timeout)
    let path = try Self.absolute(file)
    var progress = Progress(unit: "pages")
    let last: BackupEvent
    do {
      defer { progress.clear() }
      last = try client.backup(to: path) { event in
        progress.show(
          Int(clamping: event.pagesDone),
          part: event.pagesTotal > 0 ? Double(event.pagesDone) / Double(event.pagesTotal) : nil)
      }
    }
    guard common.json else {
      return try Terminal.print(
        "\(FixedText.bytes(last.byteCount)) up to sequence \(last.sequence) written to \(path) and verified in "
          + "\(FixedText.format(progress.seconds, places: 1)) s")
    }
    var object = JSONObject()
    object.add("path", path)
    object.add("sequence", last.sequence)
    object.add("byte_count", last.byteCount)
    object.add("seconds", progress.seconds)
    try Terminal.print(object.text)
  }

  private static func absolute(_ path: String) throws(Failure) -> String {
    if path.hasPrefix("/") { return path }
    guard let here = getcwd(nil, 0) else { throw Failure("the current directory has no path: give an absolute path") }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }
}
