// twinctl import

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Import twins from CSV or NDJSON; importing a file again changes nothing.",
    discussion: """
      A CSV file (.csv, .tsv) has a header line. Each row sets attributes, one for
      each column, of the twin SPACE/KIND/<id column>. An NDJSON file (.ndjson,
      .jsonl, .json) has one flat object per line; or, without --space, --kind and
      --id-column, the lines of `twinctl export`.

      From an export it takes values with their agent, purpose, confidence,
      evidence, valid_from and valid_to, scheduled facts, and twins without
      attributes. --agent and --purpose override those of all lines. Recorded times
      and sequences are new. A value in the file that begins before the daemon's
      value does not replace it; with --no-valid-times all values hold from now on,
      and scheduled facts are skipped. To keep history, use
      `twinctl export --history` and `twind restore`.

      A column is a string unless --types gives another kind (for the kinds, see
      twinctl set --help). In NDJSON integers become ints, other numbers doubles,
      arrays of scalars lists, other arrays and objects json. Empty cells, null and
      values that are already there change nothing; --empty makes empty cells set
      or remove. With --delimiter space, several spaces count as one.

      If a header such as First Name is not a valid attribute name, rename it with
      --map "First Name=first_name", or skip the column with --map "First Name=".
      Other options use the names in the header.

      --time-format is for timestamps and --valid-from-column. It is unix, unix-ms,
      unix-us, or a pattern of %Y %y %m %b %d %H %I %p %M %S %f %z %F %T; without
      %z times are in UTC.

      Each row of a file is written once. Importing a file again within 24 hours
      writes nothing new, even if it has increments or several rows for a twin;
      after an interruption it finishes the import. Files are recognised by content
      together with the options and the agent, not by name. --again writes all rows
      again. Input from a pipe is always written.

      Invalid rows are written to the rejects file with the line number and the
      reason: {"line":12,"reason":"…","row":"…"}. The other rows are imported, and
      the exit code is 9. With --strict the first invalid row stops the import;
      earlier rows are imported, later ones are not. If a quote is not closed, the
      line that it is on is rejected, and reading continues at the next line.

      EXAMPLES
        twinctl import people.csv --space acme --kind customer --id-column id \\
          --types visits:int,vip:bool,seen:timestamp
        twinctl import log.txt --delimiter space --columns id,,orders,spent \\
          --no-header --space shop --kind customer --id-column id
        twinctl import crm.csv --space acme --kind customer --id-column "Client No" \\
          --map "First Name=first_name" --map "Notes=" --trim --dry-run
        twinctl import orders.csv --space acme --kind customer --id-column customer \\
          --increment spent --types spent:double
        twinctl import twins.ndjson
        zcat people.ndjson.gz | twinctl import - --space acme --kind customer \\
          --id-column id
      """)

  @Argument(help: "The file, or - for standard input.") var file: String
  @OptionGroup(title: "Format") var format: ImportFormatArguments
  @OptionGroup(title: "Twins") var twins: ImportTwinArguments
  @OptionGroup(title: "Run") var course: ImportCourseArguments
  @Option(help: ArgumentHelp("What writes must survive (default: the daemon's setting).", valueName: "level"))
  var durability: DurabilityArgument?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var facts: FactArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if !twins.increment.isEmpty && (facts.validFrom != nil || facts.validTo != nil) {
      throw ValidationError("an --increment holds from its import on: use it without --valid-from and --valid-to")
    }
    if twins.validFromColumn != nil && facts.validFrom != nil {
      throw ValidationError("use --valid-from-column or --valid-from, not both")
    }
  }

  func run() throws {
    let input = try InputFile(file)
    let rejected = RejectsFile(
      course.rejects ?? (file == "-" ? "stdin.rejects" : file + ".rejects"), isStrict: course.strict,
      maximum: course.maxRejects)
    var progress = Progress(unit: "rows")
    var rowCount = 0
    do {
      var rows = try ImportRows(input, format, twins, facts, Author(agent: common.agent, purpose: purpose))
      var target = try target(input, rejected)
      while !rejected.isFull, let row = try rows.next() {
        rowCount += 1
        try take(row, &target, rejected)
        progress.show(rowCount, part: input.part)
      }
      try target.finish()
      progress.clear()
      try ImportReport(rowCount, progress, rejected).show(target, json: common.json)
    } catch {
      progress.clear()
      throw explained(error, rowCount)
    }
    if rejected.count > 0 { throw ExitStatus.rejectedRows }
  }

  private func target(_ input: InputFile, _ rejected: RejectsFile) throws -> any ImportTarget {
    if course.dryRun { return ImportPreview(isShown: !common.json) }
    var options = WriteOptions()
    options.durability = durability?.level ?? .unspecified
    options.purpose = purpose ?? ""
    let digest = course.again ? nil : try input.digest()
    return ImportPipeline(
      options, digest.map(ImportKeys.init), rejected, batchSize: course.batchSize, isStrict: course.strict
    ) { [common] in common.client(agent: $0) }
  }

  private func take(_ row: ImportRows.Row, _ target: inout any ImportTarget, _ rejected: RejectsFile) throws {
    do {
      for write in try row.writes() { try target.add(write) }
    } catch let fault as TextFault {
      // What stands before the wrong row is imported.
      if course.strict { try target.finish() }
      try rejected.add(row.record, fault.description)
    }
  }

  /// Errors of the daemon end the import. Running it again finishes it.
  private func explained(_ error: any Error, _ rowCount: Int) -> any Error {
    switch error {
    case let error as RPCError:
      return RPCError(error.code, "\(error.message) (after \(rowCount) rows; run the import again to finish it)")
    case let fault as TextFault: return Failure("\(file == "-" ? "standard input" : file): \(fault)")
    default: return error
    }
  }
}
