// twinctl import

import ArgumentParser
import TTRPC
import TwinClient
import TwinText

struct Import: ParsableCommand {
  /// Batches that are filled at a time: of so many agents.
  private static let openBatchesMax = 16

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
      arrays of scalars lists, other arrays and objects json. Empty cells and null
      change nothing; nor does a value that is there already, so that an import
      can be run again at any time. A delimiter of spaces may be several.

      Rows that are wrong are written to the rejects file, with line number and
      reason, as {"line":12,"reason":"…","row":"…"}; the others are imported and
      the exit code is 9. With --strict the first such row ends the import: rows
      before it are imported, those behind it are not.

      EXAMPLES
        twinctl import people.csv --space acme --kind customer --id-column id \\
          --types visits:int,vip:bool,seen:timestamp
        twinctl import log.txt --delimiter space --columns id,,orders,spent \\
          --no-header --space shop --kind customer --id-column id
        twinctl import twins.ndjson
        zcat people.ndjson.gz | twinctl import - --space acme --kind customer \\
          --id-column id
      """)

  @Argument(help: "The file, or - for standard input.") var file: String
  @OptionGroup(title: "Format") var format: ImportFormatArguments
  @OptionGroup(title: "Twins") var twins: ImportTwinArguments
  @Option(help: ArgumentHelp("Where wrong rows go (default: FILE.rejects).", valueName: "file")) var rejects: String?
  @Flag(help: "Stop at the first wrong row.") var strict = false
  @Option(help: ArgumentHelp("Twins in one commit, at most 256.", valueName: "count"))
  var batchSize = ImportBatch.twinsMax
  @Option(help: ArgumentHelp("What the writes must survive (default: the daemon's).", valueName: "level"))
  var durability: DurabilityArgument?
  @Option(help: "What the data is for.") var purpose: String?
  @OptionGroup var facts: FactArguments
  @OptionGroup var common: CommonArguments

  func validate() throws {
    if !(1...ImportBatch.twinsMax).contains(batchSize) {
      throw ValidationError("--batch-size is \(batchSize): use 1 to \(ImportBatch.twinsMax)")
    }
  }

  func run() throws {
    let input = try InputFile(file)
    let rejected = RejectsFile(rejects ?? (file == "-" ? "stdin.rejects" : file + ".rejects"), isStrict: strict)
    var pipeline = ImportPipeline(options, rejected, isStrict: strict) { [common] in common.client(agent: $0) }
    var progress = Progress(unit: "rows")
    var rowCount = 0
    do {
      var rows = try ImportRows(input, format, twins, facts, Author(agent: common.agent, purpose: purpose))
      var batches = ImportBatches(twinsMax: batchSize, openMax: strict ? 1 : Self.openBatchesMax)
      while let row = try rows.next() {
        rowCount += 1
        try take(row, &batches, &pipeline, rejected)
        progress.show(rowCount, part: input.part)
      }
      try finish(&batches, &pipeline)
    } catch {
      progress.clear()
      throw explained(error, rowCount)
    }
    progress.clear()
    try report(rowCount, pipeline.factCount, rejected, progress)
    if rejected.count > 0 { throw ExitStatus.rejectedRows }
  }

  /// Puts a row into its batch; those that are full are sent.
  private func take(
    _ row: ImportRows.Row, _ batches: inout ImportBatches, _ pipeline: inout ImportPipeline, _ rejected: RejectsFile
  ) throws {
    do {
      for write in try row.writes() {
        for part in try write.parts() {
          for batch in batches.add(part) { try pipeline.send(batch) }
        }
      }
    } catch let fault as TextFault {
      // What stands before the wrong row is imported.
      if strict { try finish(&batches, &pipeline) }
      try rejected.add(row.record, fault.description)
    }
  }

  private func finish(_ batches: inout ImportBatches, _ pipeline: inout ImportPipeline) throws {
    for batch in batches.takeAll() { try pipeline.send(batch) }
    try pipeline.finish()
  }

  private var options: WriteOptions {
    var options = WriteOptions()
    options.durability = durability?.level ?? .unspecified
    options.purpose = purpose ?? ""
    return options
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

  private func report(_ rows: Int, _ facts: Int, _ rejected: RejectsFile, _ progress: Progress) throws(Failure) {
    guard common.json else {
      let rate = FixedText.grouped(UInt64(progress.rate(rows)))
      let seconds = FixedText.format(progress.seconds, places: 1)
      var text = "\(FixedText.count(rows, "row")) in \(seconds) s (\(rate)/s), \(FixedText.count(facts, "fact"))"
      if rejected.count > 0 {
        text += ", \(FixedText.count(rejected.count, "row")) rejected: see \(DisplayText.line(rejected.path))"
      }
      return try Terminal.print(text)
    }
    var object = JSONObject()
    object.add("rows", rows)
    object.add("facts", facts)
    object.add("rejected", rejected.count)
    if rejected.count > 0 { object.add("rejects", rejected.path) }
    object.add("seconds", progress.seconds)
    try Terminal.print(object.text)
  }
}
