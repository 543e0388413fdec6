// The tables.
//
// Times are microseconds since the epoch. twins has a rowid and an index on name: in a WITHOUT ROWID table whole rows
// would be in the inner pages of the tree, five to a page, and the list of names could not be read from an index alone.

extension StoreTable {
  /// name: `space/kind/id`; body: TwinBody.swift.
  ///
  /// One blob in place of a column for each number: a scan of 500,000 rows with their checksums took 130 ms in C, and
  /// 300 ms with twelve columns.
  package static let twins = StoreTable(
    .twins, "twins", [.blob("name"), .blob("body")], index: Index(column: "name", isUnique: true, isChecked: true))

  /// id: the commit's sequence × 1,024 + the fact's ordinal, so that facts are appended in order, and a watch resumes by
  /// that number. flags: FactRow.swift; record: a twind.v1.Attribute.
  package static let facts = StoreTable(
    .facts, "facts", [.integer("twin"), .integer("flags"), .blob("record")],
    index: Index(column: "twin", isUnique: false, isChecked: false))

  /// Idempotency keys, in the order of the writes. scope: space, agent and key, each ended by NUL. request_hash: of what
  /// the request means, or of its bytes when version 0.1 wrote it. result: a twind.store.v1.WriteResult.
  ///
  /// The index is not unique: a key that has expired may be used again.
  package static let idempotency = StoreTable(
    .idempotency, "idempotency",
    [.blob("scope"), .integer("request_hash"), .integer("recorded_at"), .blob("result")],
    index: Index(column: "scope", isUnique: false, isChecked: true))

  /// One row: CheckpointRow.swift.
  package static let checkpoint = StoreTable(
    .checkpoint, "checkpoint",
    [
      .integer("applied_sequence"), .integer("recorded_at"), .integer("expects_journal"), .integer("resumable_from"),
      .blob("jumps"), .blob("tables"),
    ])

  /// Those whose rows the checkpoint row counts.
  package static let counted = [twins, facts, idempotency]
}
