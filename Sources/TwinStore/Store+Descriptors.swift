// How many file descriptors an open store takes.

extension Store {
  /// At most, all at the same time: what a daemon keeps free for it. A test counts them.
  package static let descriptorsMax = descriptors.reduce(0) { $0 + $1.count }

  private static let descriptors: [(what: String, count: Int)] = [
    ("the data directory's lock", 1),
    ("three connections to the database, each with its write-ahead log", 6),
    ("the file that these share", 1),
    ("sorters and statement journals of these connections, which SQLite keeps in temporary files", 6),
    ("the newest segment of the journal, the one prepared, and the one before while they change", 3),
    ("the journal's folder, once held, and once for deleted segments", 2),
    ("the data directory, while a checkpoint syncs it", 1),
    ("a backup: the target's lock, the source with its log, and the target or its copy with sorters", 8),
  ]
}
