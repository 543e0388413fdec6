// The rows of an import's file, one by one.

import TwinClient
import TwinText

struct ImportRows {
  /// A row that was read, not looked into yet.
  struct Row {
    let record: Record
    fileprivate let read: (Record) throws -> TwinUpdate?

    /// Nil when it changes nothing. Throws what is wrong with it.
    func update() throws -> ImportRow? {
      if let fault = record.fault { throw fault }
      do {
        return try read(record).map { ImportRow($0, record) }
      } catch let fault as JSONFault {
        throw TextFault("not a row of JSON: \(fault)")
      }
    }
  }

  private var reader: RecordReader
  private let read: (Record) throws -> TwinUpdate?

  init(
    _ input: InputFile, _ format: ImportFormatArguments, _ twins: ImportTwinArguments, _ facts: FactArguments
  ) throws {
    let isCSV = try format.resolved(input.path) == .csv
    let delimiter = isCSV ? format.resolvedDelimiter(input.path) : nil
    reader = RecordReader(delimiter: delimiter, read: input.read)
    let update: (Record) throws -> TwinUpdate?
    switch (delimiter, try twins.rows()) {
    case (let delimiter?, let rows?):
      let columns = try Self.columns(&reader, delimiter, format, rows)
      update = { try columns.update(CSVFields.parse($0.bytes, delimiter: delimiter)) }
    case (nil, let rows?): update = { try rows.update($0.bytes) }
    case (nil, nil):
      let export = ExportLine(keepsValidTimes: twins.validTimes)
      update = { try export.update($0.bytes) }
    case (_?, nil): throw Failure("CSV needs --space, --kind and --id-column: say what the twins are")
    }
    read = { record in
      try update(record).map { TwinUpdate($0.name, facts.stated(on: $0.changes)) }
    }
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
        names = try CSVFields.parse(header.bytes, delimiter: delimiter)
      }
      if let columns = format.columnNames {
        if !format.noHeader && columns.count != names.count {
          throw TextFault("--columns names \(columns.count) columns, but the header has \(names.count)")
        }
        names = columns
      }
      return try CSVColumns(names, rows)
    } catch let fault as TextFault {
      throw TextFault("line \(line): \(fault)")
    }
  }
}
