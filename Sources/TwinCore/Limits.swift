// Every bound of a twin, a request and the store, in one place. Names end in their unit and bound.
//
// Promises: what passes these checks can be stored and sent. GetServerInfo lists `Limits.all`, and those that depend on
// the memory limit (Store.Options).

package enum Limits {
  /// Bytes of a space or a kind.
  package static let spaceBytesMax = 63
  /// Bytes of the id in `space/kind/id`.
  package static let idBytesMax = 200
  /// Bytes of a whole twin name.
  package static let nameBytesMax = 2 * spaceBytesMax + 2 + idBytesMax
  /// Bytes of an attribute's name, and of one of its parts.
  package static let attributeNameBytesMax = 127
  package static let attributePartBytesMax = 63
  /// Bytes of one encoded `Value`.
  package static let valueBytesMax = 64 << 10
  /// Levels of arrays and objects in a `json_value`.
  package static let jsonDepthMax = 64
  /// Attributes of one twin: the current ones, and facts that are kept because they can still count.
  package static let attributesPerTwinMax = 512
  /// Facts that one twin keeps beside its present attributes: scheduled ones, those that return when a bounded one ends,
  /// and removals, which keep out older facts that come late. Removals make room: those beyond it are forgotten and
  /// looked up when they are needed.
  package static let pendingFactsPerTwinMax = 512
  /// Bytes of these, encoded.
  package static let twinBytesMax = 1 << 20
  package static let evidenceBytesMax = 128
  package static let agentBytesMax = 128
  package static let purposeBytesMax = 63
  package static let idempotencyKeyBytesMax = 64
  /// Keys kept for one agent. Past it the agent's new keys are refused; those that it has, and other agents', stay.
  package static let idempotencyKeysPerAgentMax = 1 << 20
  /// Bytes in memory of keys that no checkpoint has written; less when little memory is allowed (Store.Options).
  package static let idempotencyUnwrittenBytesMax = 16 << 20
  /// How long an idempotency key is kept.
  package static let idempotencyAgeMicrosMax: Int64 = 24 * 3_600_000_000
  /// Twins in one batch.
  package static let batchTwinsMax = 256
  /// Changes in one commit.
  package static let changesMax = 1_000
  /// Names in an attribute mask.
  package static let maskNamesMax = 512
  /// Twins that one watch names.
  package static let watchNamesMax = 256
  /// Twins in one page of a list.
  package static let listPageMax = 1_000
  /// Facts of a history that are read at a time, and their bytes, past which a page ends.
  package static let historyPageFactsMax = 128
  package static let historyPageBytesMax = 64 << 10
  /// Changes in memory that are looked at for one page of a history, under the lock of the twin's shard.
  package static let historyPageChangesMax = 1_000
  /// How often a read of a history begins anew because retention dropped facts that it had yet to read.
  package static let historyTriesMax = 8
  /// Bytes that a twin as of another time may take while it is made of its facts.
  package static let asOfBytesMax = 4 << 20
  /// Bytes of the feed that watches read.
  package static let feedBytesMax = 64 << 20
  /// Bytes of one journal record's payload, of a segment, and of all segments together.
  package static let journalRecordBytesMax = 4 << 20
  package static let journalSegmentBytes = 64 << 20
  package static let journalBytesMax = 1 << 30
  /// Bytes of commits that wait in memory to be written.
  package static let journalBufferBytesMax = 1 << 20
  /// How often a commit is tried that finds its twins dropped from memory, or the journal without room.
  package static let commitTriesMax = 1_000
  /// How long a commit waits when memory is half full of what no checkpoint has written.
  package static let throttleMicros: UInt32 = 1_000
  /// Sequences that may be issued past the last checkpoint.
  package static let sequenceReserveMax: UInt64 = 1 << 20
  /// The highest sequence there can be; leaves room for every sum that is made with one, and for rowids of facts.
  package static let sequenceMax: UInt64 = 1 << 52
  /// Facts are stored under `sequence * factsPerSequenceMax + ordinal`: a commit's `changesMax` facts fit, and so does
  /// every number in an Int64.
  package static let factsPerSequenceMax = 1_024

  /// Those that a caller can meet and that are the same for every daemon, in name order.
  package static let all: [(name: String, value: UInt64)] = [
    ("agentBytesMax", UInt64(agentBytesMax)),
    ("asOfBytesMax", UInt64(asOfBytesMax)),
    ("attributeNameBytesMax", UInt64(attributeNameBytesMax)),
    ("attributePartBytesMax", UInt64(attributePartBytesMax)),
    ("attributesPerTwinMax", UInt64(attributesPerTwinMax)),
    ("batchTwinsMax", UInt64(batchTwinsMax)),
    ("changesMax", UInt64(changesMax)),
    ("evidenceBytesMax", UInt64(evidenceBytesMax)),
    ("historyPageBytesMax", UInt64(historyPageBytesMax)),
    ("historyPageFactsMax", UInt64(historyPageFactsMax)),
    ("historyTriesMax", UInt64(historyTriesMax)),
    ("idBytesMax", UInt64(idBytesMax)),
    ("idempotencyAgeMicrosMax", UInt64(idempotencyAgeMicrosMax)),
    ("idempotencyKeyBytesMax", UInt64(idempotencyKeyBytesMax)),
    ("jsonDepthMax", UInt64(jsonDepthMax)),
    ("journalBytesMax", UInt64(journalBytesMax)),
    ("journalRecordBytesMax", UInt64(journalRecordBytesMax)),
    ("listPageMax", UInt64(listPageMax)),
    ("maskNamesMax", UInt64(maskNamesMax)),
    ("nameBytesMax", UInt64(nameBytesMax)),
    ("pendingFactsPerTwinMax", UInt64(pendingFactsPerTwinMax)),
    ("purposeBytesMax", UInt64(purposeBytesMax)),
    ("sequenceReserveMax", sequenceReserveMax),
    ("spaceBytesMax", UInt64(spaceBytesMax)),
    ("twinBytesMax", UInt64(twinBytesMax)),
    ("valueBytesMax", UInt64(valueBytesMax)),
    ("watchNamesMax", UInt64(watchNamesMax)),
  ]
}
