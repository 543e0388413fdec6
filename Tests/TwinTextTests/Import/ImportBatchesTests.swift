// Batches of several agents: each twin's writes leave in the order of the file.

import Testing
import TwinClient
import TwinText

@Suite struct ImportBatchesTests {
  private func records(_ count: Int) throws -> [Record] {
    var rest = Array(String(repeating: "x\n", count: count).utf8)[...]
    var reader = RecordReader(delimiter: nil) { room in
      let piece = rest.prefix(room.count)
      room.copyBytes(from: piece)
      rest = rest.dropFirst(piece.count)
      return piece.count
    }
    var records: [Record] = []
    while let record = try reader.next() { records.append(record) }
    return records
  }

  private func row(_ name: String, _ agent: String, _ record: Record, _ value: Int64, round: Int = 0) -> ImportRow {
    ImportRow(
      TwinUpdate("acme/customer/\(name)", [.set("a", .int(value))]), record, author: Author(agent: agent), round: round)
  }

  @Test func agentsAreFilledSideBySide() throws {
    let records = try records(4)
    var batches = ImportBatches(twinsMax: 2, openMax: 4)
    for (index, record) in records.enumerated() {
      let sent = batches.add(row("\(index)", index % 2 == 0 ? "x" : "y", record, 0))
      #expect(sent.isEmpty)
    }
    #expect(
      batches.takeAll().map { $0.rows.map(\.update.name) }
        == [["0", "2"], ["1", "3"]].map { $0.map { "acme/customer/\($0)" } })
  }

  @Test func oneAtATimeKeepsTheOrderOfTheFile() throws {
    let records = try records(3)
    var batches = ImportBatches(twinsMax: 9, openMax: 1)
    #expect(batches.add(row("t", "x", records[0], 0)).isEmpty)
    #expect(batches.add(row("u", "y", records[1], 0)).map(\.author.agent) == ["x"])
    #expect(batches.add(row("v", "x", records[2], 0)).map(\.author.agent) == ["y"])
  }

  @Test func aTwinsWritesStayInOrder() throws {
    var random = SystemRandomNumberGenerator()
    let records = try records(400)
    var batches = ImportBatches(twinsMax: 5, openMax: 3)
    var sent: [ImportBatch] = []
    for (index, record) in records.enumerated() {
      let agent = "agent\(Int.random(in: 0..<5, using: &random))"
      sent += batches.add(row("t\(Int.random(in: 0..<7, using: &random))", agent, record, Int64(index)))
      sent += batches.add(row("t\(index % 7)", "other", record, Int64(index), round: 1))
    }
    sent += batches.takeAll()
    var last: [String: Int] = [:]
    for row in sent.flatMap(\.rows) {
      #expect(row.record.line >= last[row.update.name] ?? 0)
      last[row.update.name] = row.record.line
    }
    #expect(sent.flatMap(\.rows).count == 800)
    #expect(sent.allSatisfy { batch in batch.rows.allSatisfy { $0.author == batch.author } })
  }
}
