// Batches keep within what the daemon takes, and a twin's rows in order.

import Testing
import TwinClient
import TwinText

@Suite struct ImportBatchTests {
  private func record() throws -> Record {
    var isRead = false
    var reader = RecordReader(delimiter: nil) { room in
      defer { isRead = true }
      if isRead { return 0 }
      room[0] = 0x78
      return 1
    }
    return try #require(try reader.next())
  }

  private func row(_ name: String, changes: Int, bytes: Int = 1) throws -> ImportRow {
    let changes = (0..<changes).map { Change.set("a\($0)", .string(String(repeating: "x", count: bytes))) }
    return ImportRow(TwinUpdate("s/k/\(name)", changes), try record())
  }

  @Test func twinsAreCounted() throws {
    var batch = ImportBatch(twinsMax: 2)
    #expect(batch.add(try row("a", changes: 1)))
    #expect(batch.add(try row("b", changes: 1)))
    #expect(!batch.add(try row("c", changes: 1)))
    #expect(batch.rows.map(\.update.name) == ["s/k/a", "s/k/b"])
  }

  @Test func aTwinIsInABatchOnce() throws {
    var batch = ImportBatch()
    #expect(batch.add(try row("a", changes: 1)))
    #expect(!batch.add(try row("a", changes: 1)))
  }

  @Test func aBatchIsOfOneSpace() throws {
    var batch = ImportBatch()
    #expect(batch.add(try row("a", changes: 1)))
    let change = [Change.set("a", .int(1))]
    #expect(!batch.add(ImportRow(TwinUpdate("other/k/b", change), try record())))
    #expect(!batch.add(ImportRow(TwinUpdate("s2/k/b", change), try record())))
    #expect(batch.add(ImportRow(TwinUpdate("s/k2/b", change), try record())))
  }

  @Test func changesAreCounted() throws {
    var batch = ImportBatch()
    #expect(batch.add(try row("a", changes: 600)))
    #expect(batch.add(try row("b", changes: 400)))
    #expect(!batch.add(try row("c", changes: 1)))
  }

  @Test func bytesAreCounted() throws {
    var batch = ImportBatch()
    #expect(batch.add(try row("a", changes: 10, bytes: 60_000)))
    #expect(!batch.add(try row("b", changes: 10, bytes: 60_000)))
  }

  @Test func aLargeRowIsDivided() throws {
    let row = try row("a", changes: 1_500, bytes: 2_000)
    let parts = try row.parts()
    #expect(parts.flatMap(\.update.changes) == row.update.changes)
    for part in parts {
      #expect(part.update.changes.count <= 1_000)
      #expect(part.update.changes.count * 2_000 < 1 << 20)
    }
    #expect(throws: TextFault.self) { try self.row("a", changes: 1, bytes: 2 << 20).parts() }
  }
}
