// An idempotency key: where it counts, and the first result under it.

import TwinCore

extension IdempotencyTable {
  /// Space, agent and key, each ended by NUL; none of them can hold one.
  package struct Scope: Hashable, Sendable {
    let bytes: [UInt8]

    package init(space: UnsafeRawBufferPointer, agent: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(space.count + agent.count + key.count + 3)
      for part in [space, agent, key] {
        bytes.append(contentsOf: part)
        bytes.append(0)
      }
      self.bytes = bytes
    }

    /// From the disk; nil when these are not three parts.
    init?(_ bytes: [UInt8]) {
      guard bytes.withUnsafeBytes({ Scope.agent(in: $0) }) != nil else { return nil }
      self.bytes = bytes
    }

    /// For the filter.
    var filterHash: UInt64 { bytes.withUnsafeBytes { TwinStore.filterHash($0) } }

    /// Where the agent's keys are counted.
    var place: AgentCounts.Place {
      bytes.withUnsafeBytes { bytes in
        AgentCounts.Place(of: Scope.agent(in: bytes) ?? UnsafeRawBufferPointer(start: nil, count: 0))
      }
    }

    var agent: ArraySlice<UInt8> {
      let start = (bytes.firstIndex(of: 0) ?? 0) + 1
      return bytes[start..<(bytes[start...].firstIndex(of: 0) ?? start)]
    }

    var key: ArraySlice<UInt8> { bytes[(agent.endIndex + 1)..<bytes.count - 1] }

    /// The agent's part; nil when these are not three parts.
    static func agent(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
      guard let start = bytes.firstIndex(of: 0), let end = bytes[(start + 1)...].firstIndex(of: 0),
        bytes[(end + 1)...].firstIndex(of: 0) == bytes.count - 1
      else { return nil }
      return UnsafeRawBufferPointer(rebasing: bytes[(start + 1)..<end])
    }
  }

  package final class Entry: Sendable {
    /// Numbers entries in the order they were made.
    let id: Int64
    let scope: Scope
    /// Of what the request means; of its bytes when version 0.1 wrote it.
    let requestHash: UInt64
    /// Microseconds since the epoch.
    let recordedAt: Int64
    let result: CommitResult

    init(id: Int64, scope: Scope, requestHash: UInt64, recordedAt: Int64, result: CommitResult) {
      self.id = id
      self.scope = scope
      self.requestHash = requestHash
      self.recordedAt = recordedAt
      self.result = result
    }

    /// In memory, with the table's own part.
    var byteCount: Int { 256 + scope.bytes.count + 8 * result.revisions.count }

    func isExpired(at now: Int64) -> Bool {
      now.subtractingClamped(recordedAt) >= Limits.idempotencyAgeMicrosMax
    }
  }

  /// What the database said about one key.
  package struct Lookup {
    /// Nil: it does not have it.
    let entry: Entry?
    /// `IdempotencyTable.moveCount` before it was asked: it was not asked about what has moved to it since.
    let moveCount: UInt64

    package init(entry: Entry?, moveCount: UInt64) {
      self.entry = entry
      self.moveCount = moveCount
    }
  }

  package enum Answer: Equatable {
    /// The result of the first request under this key.
    case first(CommitResult)
    /// It was not used within the time that a key is kept for.
    case unused
    /// The database is to be asked first.
    case unread
  }
}
