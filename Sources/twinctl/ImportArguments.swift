// Options of an import: the format of the file, and how it maps to twins.

import ArgumentParser
import TwinText

enum ImportFormat: String, ExpressibleByArgument, CaseIterable {
  case csv, ndjson
}

struct ImportFormatArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("csv or ndjson (default: by the file's ending; ndjson for standard input).", valueName: "format")
  )
  var format: ImportFormat?
  @Option(
    help: ArgumentHelp("For CSV: tab, space or a character (default: a comma).", valueName: "character"),
    transform: delimiterArgument)
  var delimiter: UInt8?
  @Option(
    help: ArgumentHelp("Names for the columns, separated by commas; leave one empty to skip it.", valueName: "names"))
  var columns: String?
  @Flag(help: "The CSV file has no header line; --columns names the columns.") var noHeader = false
  @Flag(help: "For CSV: remove spaces around fields, as in `1, Ann, 3`.") var trim = false
  @Option(
    help: ArgumentHelp("The format of times: %d.%m.%Y, unix (default: RFC 3339).", valueName: "format"),
    transform: timeFormatArgument)
  var timeFormat: TimeFormat?

  func validate() throws {
    if noHeader && columns == nil { throw ValidationError("--no-header needs --columns") }
  }

  var columnNames: [String]? {
    columns.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  /// Throws if the file's name does not tell the format.
  func resolved(_ file: String) throws -> ImportFormat {
    if let format { return format }
    if delimiter != nil || columns != nil || trim { return .csv }
    let ending = file.split(separator: "/").last?.split(separator: ".").last?.lowercased()
    switch ending {
    case "csv", "tsv": return .csv
    case "ndjson", "jsonl", "json": return .ndjson
    case "-": return .ndjson
    default: throw Failure("\(file.excerpt()): the name does not tell the format: use --format csv or --format ndjson")
    }
  }

  func resolvedDelimiter(_ file: String) -> UInt8 {
    delimiter ?? UInt8(ascii: file.lowercased().hasSuffix(".tsv") ? "\t" : ",")
  }
}

struct ImportTwinArguments: ParsableArguments {
  @Option(help: "The space of the twins.") var space: String?
  @Option(help: "The kind of the twins.") var kind: String?
  @Option(help: ArgumentHelp("The column that holds the id.", valueName: "column")) var idColumn: String?
  @Option(help: ArgumentHelp("Kinds of columns: visits:int,seen:timestamp.", valueName: "column:kind"))
  var types: String?
  @Option(
    help: ArgumentHelp("The attribute for a column; with none, the column is skipped.", valueName: "column=attribute"))
  var map: [String] = []
  @Option(help: ArgumentHelp("A column to add to its attribute instead of setting it.", valueName: "column"))
  var increment: [String] = []
  @Option(help: ArgumentHelp("The column with the time from which a row holds.", valueName: "column"))
  var validFromColumn: String?
  @Option(help: ArgumentHelp("What empty cells do: skip, string or remove (default: skip).", valueName: "choice"))
  var empty: EmptyCell?
  @Flag(inversion: .prefixedNo, help: "For an export: keep valid times and scheduled facts.")
  var validTimes = true

  /// How to read rows; nil for the lines of an export.
  func rows(_ timeFormat: TimeFormat?) throws -> FlatRows? {
    let types = try stated("--types") { () throws(TextFault) in try ColumnOptions.types(self.types ?? "") }
    switch (space, kind, idColumn) {
    case (let space?, let kind?, let idColumn?):
      var rows = FlatRows(space: space, kind: kind, idColumn: idColumn, types: types)
      rows.attributes = try stated("--map") { () throws(TextFault) in try ColumnOptions.attributes(map) }
      rows.increments = Set(increment)
      rows.validFromColumn = validFromColumn
      rows.timeFormat = timeFormat
      rows.emptyCell = empty ?? .skip
      try checkIncrements(types)
      return rows
    case (nil, nil, nil) where !describesColumns && timeFormat == nil: return nil
    default: throw Failure("use --space, --kind and --id-column together")
    }
  }

  private var describesColumns: Bool {
    types != nil || !map.isEmpty || !increment.isEmpty || validFromColumn != nil || empty != nil
  }

  private func checkIncrements(_ types: [String: ValueKind]) throws(Failure) {
    for column in increment {
      if let kind = types[column], kind != .int && kind != .double {
        throw Failure(
          "--types gives \(column.excerpt()) the kind \(kind.rawValue), but an --increment must be an int or a double")
      }
    }
    if !increment.isEmpty && validFromColumn != nil {
      throw Failure("an --increment holds from its import on: use it without --valid-from-column")
    }
  }

  private func stated<Parsed>(_ option: String, _ parse: () throws(TextFault) -> Parsed) throws(Failure) -> Parsed {
    do {
      return try parse()
    } catch {
      throw Failure("\(option): \(error)")
    }
  }
}

/// Options of how an import runs.
struct ImportCourseArguments: ParsableArguments {
  @Flag(help: "Check every row without writing. Limits that the daemon enforces, such as sizes, are not checked.")
  var dryRun = false
  @Flag(help: "Write all rows, even if the file was imported before.") var again = false
  @Option(help: ArgumentHelp("The file for invalid rows (default: FILE.rejects).", valueName: "file")) var rejects:
    String?
  @Option(help: ArgumentHelp("Stop after more invalid rows than this (default: never).", valueName: "count"))
  var maxRejects: Int?
  @Flag(help: "Stop at the first invalid row.") var strict = false
  @Option(help: ArgumentHelp("Twins per commit, at most 256.", valueName: "count"))
  var batchSize = ImportBatch.twinsMax

  func validate() throws {
    if !(1...ImportBatch.twinsMax).contains(batchSize) {
      throw ValidationError("--batch-size is \(batchSize): use 1 to \(ImportBatch.twinsMax)")
    }
    if let maxRejects, maxRejects < 0 { throw ValidationError("--max-rejects is \(maxRejects): it must be at least 0") }
    if strict && maxRejects != nil { throw ValidationError("use --strict or --max-rejects, not both") }
  }
}

extension EmptyCell: ExpressibleByArgument {}

@Sendable
private func timeFormatArgument(_ text: String) throws -> TimeFormat {
  do {
    return try TimeFormat(text)
  } catch {
    throw ValidationError(error.description)
  }
}

@Sendable
private func delimiterArgument(_ text: String) throws -> UInt8 {
  switch text {
  case "tab", "\\t": return UInt8(ascii: "\t")
  case "space": return UInt8(ascii: " ")
  default:
    guard text.utf8.count == 1, let byte = text.utf8.first, byte < 0x80, byte != 0x22, byte != 0x0a, byte != 0x0d
    else { throw ValidationError("\(text.excerpt()) is not a delimiter: use tab, space or one ASCII character") }
    return byte
  }
}
