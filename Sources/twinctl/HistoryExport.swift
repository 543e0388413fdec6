// Exports every fact of every twin, for `twind restore`.

import TTRPC
import TwinClient
import TwinText

struct HistoryExport {
  let client: TwindClient
  let prefix: String

  func run(to file: OutputFile, _ report: inout ExportReport) throws {
    // Only of all twins anyone knows how many there are.
    let expected = prefix.isEmpty && Terminal.isError ? (try? client.stats())?["fact_count"] : nil
    let stream = try client.exportFacts(prefix: prefix)
    var (twinCount, factCount) = (0, 0)
    var last: String?
    var isFirst = true
    while let part = try stream.next() {
      if isFirst { try file.write(HistoryText.header(sequence: part.sequence, prefix: prefix)) }
      isFirst = false
      for twin in part.twins {
        // Names are the same when their bytes are.
        let goesOn = last.map { $0.utf8.elementsEqual(twin.name.utf8) } ?? false
        if !goesOn { twinCount += 1 }
        last = twin.name
        for (index, fact) in twin.facts.enumerated() {
          let keptFrom = index == 0 && !goesOn ? twin.keptFrom : nil
          try file.write(HistoryText.fact(fact, of: twin.name, keptFrom: keptFrom))
        }
        factCount += twin.facts.count
      }
      report.progress.show(factCount, part: expected.map { min(1, Double(factCount) / Double(max($0, 1))) })
      guard let total = part.total else { continue }
      guard total == (UInt64(twinCount), UInt64(factCount)) else { break }
      try file.write(HistoryText.end(twins: total.twins, facts: total.facts))
      (report.twinCount, report.factCount) = (twinCount, factCount)
      return
    }
    throw RPCError(.dataLoss, "the daemon did not send all facts: export again")
  }
}
