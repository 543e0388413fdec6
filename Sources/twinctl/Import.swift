// twinctl import

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write twins from CSV or NDJSON, as often as you like.",
    discussion: """
      CSV (.csv, .tsv) has a header line; each row sets the attributes that its
      columns name on the twin SPACE/KIND/<id column>. NDJSON (.ndjson, .jsonl,
      .json) has one flat object a line, or, without --space, --kind and
      --id-column, the lines of `twinctl export`.

      Of an export it keeps values with their agent, purpose, confidence, evidence,
      valid_from and valid_to, what is scheduled, and twins without attributes; for
      all lines --agent and --purpose say it otherwise. Recorded times and sequences
      are made anew. A value of the file that begins before the daemon's does not
      replace it: use --no-valid-times to have all values hold from now on, without
      what is scheduled. To keep history too, use `twinctl export --history` and
      `twind restore`.

      A column is a string unless --types says otherwise (kinds and their forms:
      twinctl set --help); in NDJSON integers are ints, other numbers doubles,
      arrays of scalars lists, other arrays and objects json. An empty cell makes
      no attribute and changes none, unless --empty says otherwise; nor does null,
      or a value that is there already. A delimiter of spaces may be several.

      A header such as First Name is no attribute's name: --map "First Name=first_name"
      gives it one, --map "First Name=" leaves the column out. Other options call
      columns as the header does.

      --time-format takes unix, unix-ms, unix-us, or a pattern of
      %Y %y %m %b %d %H %I %p %M %S %f %z %F %T; without %z times are UTC. It is for
      timestamps and for --valid-from-column.

      The same rows of a file are written once: importing a file again within 24
      hours records nothing new, also where increments or several rows for a twin
      are in it, and one that was interrupted is finished. It is the file's content
      that counts, with the options and the agent, not its name. --again writes all
      rows anew. What comes through a pipe is always written.

      Rows that are wrong are written to the rejects file, with line number and
      reason, as {"line":12,"reason":"…","row":"…"}; the others are imported and
      the exit code is 9. With --strict the first such row ends the import: rows
      before it are imported, those behind it are not. A quote that opens a field
      and does not close it costs the line that it is on: reading goes on at the
      next one.

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
  @Option(help: ArgumentHelp("What the writes must survive (default: the daemon's).", valueName: "level"))
  var durability: DurabilityArgument?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var facts: FactArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if !twins.increment.isEmpty && (facts.validFrom != nil || facts.validTo != nil) {
      throw ValidationError("an --increment counts from its import on: use it without --valid-from and --valid-to")
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

  /// Errors of the daemon end an import; running it again finishes it.
  private func explained(_ error: any Error, _ rowCount: Int) -> any Error {
    switch error {
    case let error as RPCError:
      return RPCError(error.code, "\(error.message) (after \(rowCount) rows; run the import again to finish it)")
    case let fault as TextFault: return Failure("\(file == "-" ? "standard input" : file): \(fault)")
    default: return error
    }
  }
}
