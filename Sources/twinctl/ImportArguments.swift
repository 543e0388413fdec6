// What an import's file is like and which twins it is about.

import ArgumentParser
import TwinText

enum ImportFormat: String, ExpressibleByArgument, CaseIterable {
  case csv, ndjson
}

struct ImportFormatArguments: ParsableArguments {
  @Option(help: ArgumentHelp("By default as the file's name ends; standard input is ndjson.", valueName: "format"))
  var format: ImportFormat?
  @Option(
    help: ArgumentHelp("Of CSV: tab, space or one character (default: a comma).", valueName: "character"),
    transform: delimiterArgument)
  var delimiter: UInt8?
  @Option(
    help: ArgumentHelp("Names for the columns, separated by commas; an empty one is left out.", valueName: "names"))
  var columns: String?
  @Flag(help: "The CSV file has no header line; --columns names the columns.") var noHeader = false

  func validate() throws {
    if noHeader && columns == nil { throw ValidationError("--no-header needs --columns") }
  }

  var columnNames: [String]? {
    columns.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }

  /// Throws when the file's name does not say.
  func resolved(_ file: String) throws -> ImportFormat {
    if let format { return format }
    if delimiter != nil || columns != nil { return .csv }
    let ending = file.split(separator: "/").last?.split(separator: ".").last?.lowercased()
    switch ending {
    case "csv", "tsv": return .csv
    case "ndjson", "jsonl", "json": return .ndjson
    case "-": return .ndjson
    default: throw Failure("\(file.excerpt()): the name says no format: use --format csv or --format ndjson")
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
  @Flag(inversion: .prefixedNo, help: "Of an export: take over from when to when values hold, and what is scheduled.")
  var validTimes = true

  /// How to read rows; nil when they are the lines of an export.
  func rows() throws -> FlatRows? {
    let types: [String: ValueKind]
    do {
      types = try FlatRows.types(self.types ?? "")
    } catch {
      throw Failure("--types: \(error)")
    }
    switch (space, kind, idColumn) {
    case (let space?, let kind?, let idColumn?):
      return FlatRows(space: space, kind: kind, idColumn: idColumn, types: types)
    case (nil, nil, nil) where types.isEmpty: return nil
    default: throw Failure("--space, --kind and --id-column belong together: say what the twins are")
    }
  }
}

@Sendable
private func delimiterArgument(_ text: String) throws -> UInt8 {
  switch text {
  case "tab", "\\t": return UInt8(ascii: "\t")
  case "space": return UInt8(ascii: " ")
  default:
    guard text.utf8.count == 1, let byte = text.utf8.first, byte < 0x80, byte != 0x22, byte != 0x0a, byte != 0x0d
    else { throw ValidationError("\(text.excerpt()) is no delimiter: use tab, space or one ASCII character") }
    return byte
  }
}
