// Reads the rows of an import file one by one.

import TwinClient
import TwinText

struct ImportRows {
  /// A row that has been read but not parsed.
  struct Row {
    let record: Record
    fileprivate let read: (Record) throws -> [ImportRow]

    /// The writes of the row, in order. Throws if the row is invalid.
    func writes() throws -> [ImportRow] {
      if let fault = record.fault { throw fault }
      do {
        return try read(record)
      } catch let fault as JSONFault {
        throw TextFault("the row is not valid JSON: \(fault)")
      }
    }
  }

  private var reader: RecordReader
  private let read: (Record) throws -> [ImportRow]

  /// - Parameter stated: overrides the agents and purposes in the lines of an export.
  init(
    _ input: InputFile, _ format: ImportFormatArguments, _ twins: ImportTwinArguments, _ facts: FactArguments,
    _ stated: Author
  ) throws {
    let isCSV = try format.resolved(input.path) == .csv
    if !isCSV && (format.trim || twins.empty != nil) { throw Failure("--trim and --empty are for CSV") }
    let delimiter = isCSV ? format.resolvedDelimiter(input.path) : nil
    reader = RecordReader(delimiter: delimiter, trims: format.trim, read: input.read)
    let updates: (Record) throws -> [ExportedUpdate]
    switch (delimiter, try twins.rows(format.timeFormat)) {
    case (let delimiter?, let rows?):
      let columns = try Self.columns(&reader, delimiter, format, rows)
      updates = Self.single {
        try columns.update(CSVFields.parse($0.bytes, delimiter: delimiter, trims: format.trim))
      }
    case (nil, let rows?): updates = Self.single { try rows.update($0.bytes) }
    case (nil, nil):
      let export = ExportLine(keepsValidTimes: twins.validTimes)
      updates = { try export.updates($0.bytes) }
    case (_?, nil): throw Failure("CSV needs --space, --kind and --id-column")
    }
    read = { record in
      try updates(record).map { one in
        let update = TwinUpdate(one.update.name, facts.stated(on: one.update.changes))
        let author = Author(agent: stated.agent ?? one.author.agent, purpose: stated.purpose ?? one.author.purpose)
        return ImportRow(update, record, author: author, round: one.round)
      }
    }
  }

  /// A row that is at most one write.
  private static func single(_ update: @escaping (Record) throws -> TwinUpdate?) -> (Record) throws -> [ExportedUpdate]
  {
    { try update($0).map { [ExportedUpdate(update: $0, author: Author(), round: 0)] } ?? [] }
  }

  mutating func next() throws -> Row? { try reader.next().map { Row(record: $0, read: read) } }

  private static func columns(
    _ reader: inout RecordReader, _ delimiter: UInt8, _ format: ImportFormatArguments, _ rows: FlatRows
  ) throws -> CSVColumns {
    var line = 1
    do {
      var names: [String] = []
      if !format.noHeader {
        guard let header = try reader.next() else { throw TextFault("the file is empty: a header line is expected") }
        line = header.line
        if let fault = header.fault { throw fault }
        names = try CSVFields.parse(header.bytes, delimiter: delimiter, trims: format.trim)
      }
      if let columns = format.columnNames {
        if !format.noHeader && columns.count != names.count {
          throw TextFault("--columns has \(columns.count) columns, but the header has \(names.count)")
        }
        names = columns
      }
      return try CSVColumns(names, rows)
    } catch let fault as TextFault {
      throw TextFault("line \(line): \(fault)")
    }
  }
}
