// Exports twins as they are now, for `twinctl import`.

import TTRPC
import TwinClient
import TwinText

struct PresentExport {
  let client: TwindClient
  let prefix: String
  let purpose: String

  func run(to file: OutputFile, _ report: inout ExportReport) throws {
    var options = ReadOptions()
    options.purpose = purpose
    options.withScheduled = true
    var pages = TwinPages(client: client, prefix: prefix, namesOnly: false, options: options)
    // Only an operator may ask how many there are, and only of all.
    let expected = prefix.isEmpty && Terminal.isError ? (try? client.stats())?["twin_count"] : nil
    while let page = try pages.next() {
      for twin in page.twins { try file.write(line(twin, page.redactions) + "\n") }
      report.twinCount += page.twins.count
      report.withheldCount += page.redactions.count
      let part = expected.map { min(1, Double(report.twinCount) / Double(max($0, 1))) }
      report.progress.show(report.twinCount, part: part)
    }
  }

  private func line(_ twin: Twin, _ redactions: [Redaction]) throws(RPCError) -> String {
    var object = twin.json
    let scheduled = try lastValue(of: twin) + twin.scheduled
    if !scheduled.isEmpty { object.add("scheduled", json: JSONObject.array(scheduled.map(\.json.text))) }
    let withheld = redactions.filter { $0.twin == twin.name }
    if !withheld.isEmpty { object.add("redactions", json: withheld.json) }
    return object.text
  }

  /// For a twin without present or future attributes: the last value that it had, and its removal. Without them an
  /// import could not recreate the twin.
  private func lastValue(of twin: Twin) throws(RPCError) -> [Fact] {
    guard twin.attributes.isEmpty, !twin.scheduled.contains(where: { $0.value != nil }) else { return [] }
    var options = FactOptions()
    options.purpose = purpose
    var last: [Fact] = []
    do throws(RPCError) {
      let facts = try client.facts(of: twin.name, options)
      while let part = try facts.next() {
        for fact in part.facts {
          if fact.value != nil { last = [fact] } else if fact.attribute == last.first?.attribute { last.append(fact) }
        }
      }
    } catch {
      if error.code != .notFound { throw error }
    }
    return last.filter { fact in
      !twin.scheduled.contains { $0.sequence == fact.sequence && $0.attribute == fact.attribute }
    }
  }
}
