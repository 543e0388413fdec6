// Tables with aligned columns.

/// Rows of cells under a header. The last column has no fixed width, but can be limited.
package struct Table {
  package enum Alignment: Sendable { case left, right }

  package struct Column: Sendable {
    let title: String
    let alignment: Alignment

    package init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  private let columns: [Column]
  private let indent: String
  private var rows: [[String]] = []

  package init(_ columns: [Column], indent: Int = 0) {
    self.columns = columns
    self.indent = String(repeating: " ", count: indent)
  }

  package var isEmpty: Bool { rows.isEmpty }

  package mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "\(cells.count) cells for \(columns.count) columns")
    rows.append(cells)
  }

  /// Lines that each end in a line break.
  /// - Parameters:
  ///   - header: the style of titles, for example bold; nil: no titles.
  ///   - width: the width of a line; longer cells of the last column are cut.
  package func text(header: ((String) -> String)? = { $0 }, width: Int = .max) -> String {
    let titles = columns.map(\.title)
    let shown = header == nil ? rows : [titles] + rows
    let widths = columns.indices.map { column in shown.map { DisplayText.columnCount($0[column]) }.max() ?? 0 }
    let others = widths.dropLast().reduce(indent.utf8.count) { $0 + $1 + 2 }
    let room = width == .max ? width : max(Self.lastWidthMin, width - others)
    var text = ""
    if let header { text += line(titles, widths, header) }
    for row in rows { text += line(row.dropLast() + [Self.cut(row.last ?? "", room)], widths) { $0 } }
    return text
  }

  /// However wide the other columns are.
  private static let lastWidthMin = 20

  private static func cut(_ cell: String, _ room: Int) -> String {
    DisplayText.columnCount(cell) <= room ? cell : DisplayText.line(cell, width: room - 1)
  }

  private func line(_ cells: [String], _ widths: [Int], _ style: (String) -> String) -> String {
    var line = indent
    for (index, cell) in cells.enumerated() {
      let space = String(repeating: " ", count: widths[index] - DisplayText.columnCount(cell))
      let isLast = index == cells.count - 1
      switch columns[index].alignment {
      case .left: line += style(cell) + (isLast ? "" : space + "  ")
      case .right: line += space + style(cell) + (isLast ? "" : "  ")
      }
    }
    return line + "\n"
  }
}
