// Where a report goes: the terminal, a page, a log.

import Foundation

extension OutputOptions {
  func write(_ report: RunReport) throws {
    if let path = self.report { try Self.write(HTMLPage(report).text, to: path) }
    print(json ? report.json + "\n" : report.text, terminator: "")
  }

  static func write(_ text: String, to path: String) throws {
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw BenchFailure("cannot write \(path): does its folder exist, and may you write there?")
    }
  }
}

extension LogOptions {
  func write(_ measurement: Measurement, title: String) throws {
    guard let hdrLog else { return }
    try OutputOptions.write(IntervalLog.text(measurement, title: title), to: hdrLog)
  }
}
