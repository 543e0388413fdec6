// Errors of the store, for the operator: each message names the file and says what to do. (TwinError is for the caller
// of an RPC.)

import Glibc

package enum StoreError: Error, Equatable, Sendable {
  /// Another process holds the data directory.
  case inUse(directory: String)
  /// The database was written by a newer version; it has not been touched.
  case newerFormat(path: String, version: Int, supported: Int)
  /// The database was written by an older version that this one does not read.
  case olderFormat(path: String, version: Int)
  /// The database of an older version is damaged; it has not been touched.
  case notMigrated(path: String, reason: String)
  /// The database of an older version has names that only twind's own services may write now; it has not been touched.
  case reservedNames(path: String, names: [String], count: Int)
  /// The file is some other program's database; it has not been touched.
  case foreign(path: String)
  /// Part of what belongs together is gone.
  case missing(path: String, because: String)
  /// The journal is gone; the database holds every commit up to `applied`.
  case missingJournal(path: String, applied: UInt64)
  /// A row cannot be what was written, or one is missing.
  case corrupt(path: String, table: String, row: String, reason: String)
  /// One twin cannot be what was written: its row, number `row` of the table of twins, or its facts. Others are not
  /// affected.
  case damagedTwin(path: String, row: Int64, name: String?, reason: String)
  /// Bytes of a file cannot be what was written and made durable; nothing has been changed.
  case damaged(path: String, offset: Int, reason: String, remedy: String)
  /// The disk has no room for a file of this many bytes. Nothing was promised and it may be tried again.
  case noSpace(path: String, bytes: Int)
  /// There is no such twin, or row of one.
  case noTwin(path: String, target: String)
  /// What the database holds cannot be given up with the journal.
  case undroppable(sequence: UInt64, applied: UInt64)
  case io(path: String, operation: String, errno: CInt)
  /// `code` is SQLite's extended result code.
  case database(path: String, operation: String, code: CInt, message: String)
  case closed
  /// A file was removed or replaced while the store had it open.
  case replaced(path: String)
  /// A file of the store is a symbolic link.
  case link(path: String)
  /// Others may change what is in the data directory.
  case shared(directory: String, because: String, uid: UInt32)
  /// What others are to keep would be in the data directory.
  case insideDataDirectory(path: String)
  /// There is no such directory for what is to be made.
  case noDirectory(path: String)
  /// Nothing may be there yet.
  case exists(path: String)
  /// The file cannot be restored from.
  case notABackup(path: String, because: String)
  /// A check of a backup found something.
  case unsound(path: String, problem: String)
  /// A line of a history cannot be restored.
  case badHistory(path: String, line: Int, reason: String)
  /// There are no sequences left to jump over.
  case exhausted(sequence: UInt64)
  /// The caller gave it up.
  case cancelled
}

extension StoreError {
  /// The disk is full: nothing was promised of what did not fit, and it may be tried again.
  package var isDiskFull: Bool {
    switch self {
    case .noSpace: true
    // SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: the file that SQLite's connections share holds nothing that lasts.
    case .database(_, _, let code, _): code & 0xff == 13 || code == 4874
    default: false
    }
  }

  /// No descriptor or no memory was left. It says nothing about the disk; it passes, and it may be tried again.
  package var isShortage: Bool {
    switch self {
    case .io(_, _, let error): Errno(error).isShortage
    // SQLITE_NOMEM and SQLITE_IOERR_NOMEM; SQLITE_IOERR_SHMOPEN and SQLITE_IOERR_SHMMAP: the file that SQLite's
    // connections share. A file that it could not open is SQLITE_CANTOPEN, for whatever reason, which does not latch
    // either.
    case .database(_, _, let code, _): code & 0xff == 7 || [3082, 4618, 5386].contains(code)
    default: false
    }
  }

  /// Nothing was promised, and it may be tried again.
  package var isTemporary: Bool { isDiskFull || isShortage }

  /// What is on disk is not known any more, or is damaged: nothing is written until a restart has looked at it.
  package var latches: Bool {
    switch self {
    case _ where isTemporary: false
    case .io, .damaged, .replaced: true
    // SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB
    case .database(_, _, let code, _): [10, 11, 26].contains(code & 0xff)
    // Twins, facts and keys stand for themselves: what one of them says wrongly makes the others no less right.
    case .corrupt(_, let table, _, _): table == "checkpoint"
    default: false
    }
  }

  /// What is on disk is not what was written.
  package var isDataLoss: Bool {
    switch self {
    case .corrupt, .damagedTwin, .notMigrated: true
    default: false
    }
  }
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .inUse(let directory):
      "the data directory \(directory) is in use by another twind: stop that one, or use another --data-dir"
    case .newerFormat(let path, let version, let supported):
      "\(path) has format \(version), and this version reads formats up to \(supported): start the newer twind that "
        + "wrote it, or use another --data-dir"
    case .olderFormat(let path, let version):
      "\(path) has format \(version), which this version cannot read: export its twins with the twind that wrote it, "
        + "then import them"
    case .notMigrated(let path, let reason):
      "\(path) was written by an older version and cannot be migrated: \(reason). Repair it with the twind that wrote "
        + "it (`twind verify` says how), or \(Remedy.backup)"
    case .reservedNames(let path, let names, let count):
      "\(path) has \(count == 1 ? "a name that is" : "names that are") now reserved for twind itself: "
        + names.joined(separator: ", ") + (count > names.count ? " and \(count - names.count) more" : "")
        + ". Start the twind that wrote it, delete these twins or remove these attributes, run `twinctl checkpoint`, "
        + "then start this version"
    case .foreign(let path):
      "\(path) is not a database of twind: move it away, or use another --data-dir"
    case .missing(let path, let because):
      "\(path) is missing, but \(because): put it back, or restore a backup into an empty directory (`twind restore`)"
    case .missingJournal(let path, let applied):
      "\(path) is missing or empty, but the database needs its journal: put it back, or \(Remedy.backup). Backups have "
        + "no journal. To go on without the commits after sequence \(applied), if there were any, run "
        + "`twind recover --data-dir \(FilePath.directory(of: path)) --drop-after \(applied)`"
    case .corrupt(let path, let table, let row, let reason):
      "\(path), table \(table), row \(row): \(reason). \(Remedy.text(path, table).firstUppercased)"
    case .damagedTwin(let path, let row, let name, let reason):
      "\(path): the twin \(name.map { "\($0), " } ?? "")row \(row), is damaged: \(reason). "
        + Remedy.text(path, twin: row).firstUppercased
    case .damaged(let path, let offset, let reason, let remedy):
      "\(path) is damaged at byte \(offset): \(reason). To go on, \(remedy)"
    case .noSpace(let path, let bytes):
      "the disk is too full for \(path): free \(bytes >> 20) MiB or more; writes then resume by themselves"
    case .noTwin(let path, let target):
      "\(path) has no twin or row \(target): use a name or a row number that `twind verify` shows"
    case .undroppable(let sequence, let applied):
      "the database already has everything up to sequence \(applied), so commits after \(sequence) cannot be dropped: "
        + "use \(applied) or more, or restore the data directory from a backup"
    case .io(let path, let operation, let error):
      "cannot \(operation) \(path): \(String(cString: strerror(error)))\(Self.remedy(error))"
    case .database(let path, let operation, let code, let message):
      "cannot \(operation) \(path): \(message) (SQLite "
        + "\(code))\(isDiskFull ? ": the disk is full; free some space" : "")"
    case .closed:
      "the store is closed"
    case .replaced(let path):
      "\(path) was removed or replaced while twind had it open, so new writes would be lost. Reads still work: save "
        + "what you need with `twinctl export`, stop twind, and restore the data directory from a backup"
    case .link(let path):
      "\(path) is a symbolic link: put the file itself there, or point --data-dir to the directory that it is in"
    case .shared(let directory, let because, let uid):
      "the data directory \(directory) \(because), who could change twind's files: make user \(uid) its only owner "
        + "(chown \(uid), chmod 700), or start with --allow-shared-data-dir"
    case .insideDataDirectory(let path):
      "\(path) is in the data directory, which is for twind's own files: choose another directory"
    case .noDirectory(let path):
      "the directory \(path) does not exist: create it, or choose another one"
    case .exists(let path):
      "\(path) already exists: remove it, or choose another name"
    case .notABackup(let path, let because):
      "\(path) is not a backup: \(because). Make one with `twinctl backup`"
    case .unsound(let path, let problem):
      "\(path) is damaged, \(problem): use another backup"
    case .badHistory(let path, let line, let reason):
      "cannot restore \(path), line \(line): \(reason). Nothing was restored: use another copy of the file, or export "
        + "it again with `twinctl export --history`"
    case .exhausted(let sequence):
      "sequence \(sequence) is too high for a backup: its restored copy would have no sequences left"
    case .cancelled:
      "it was cancelled"
    }
  }
}

/// What an operator can do about a database that is damaged.
enum Remedy {
  static let backup = "restore the data directory from a backup"

  static func text(_ path: String, twin row: Int64) -> String {
    "\(backup), or stop twind and drop that twin with `\(recover(path)) --drop-twin \(row)`"
  }

  static func text(_ path: String, _ table: String) -> String {
    switch table {
    case "idempotency": "\(backup), or drop all idempotency keys with `\(recover(path)) --drop-keys`"
    case "twins", "facts": "\(backup), or continue with the rows that are left: `\(recover(path)) --rebuild`"
    default: backup
    }
  }

  private static func recover(_ path: String) -> String { "twind recover --data-dir \(FilePath.directory(of: path))" }
}

extension String {
  fileprivate var firstUppercased: String { prefix(1).uppercased() + dropFirst() }
}

extension StoreError {
  /// What to do about a shortage; empty for other errors.
  private static func remedy(_ error: CInt) -> String {
    switch error {
    case EMFILE: ": raise the limit of open files (ulimit -n), or lower --connections-max"
    case ENFILE: ": raise the system's limit of open files (fs.file-max)"
    case ENOMEM: ": the system is short of memory; stop something else, or lower --memory-limit"
    default: ""
    }
  }
}
