// The names in `<data-dir>/journal/`, and errors that say what to do about them.
//
// A segment is `<20-digit number>.journal`. The one being prepared is `next`: it has no content that counts, and a
// left-over is removed at the next start. `*.dropped` is what `twind recover` set aside; nobody reads it again.

import Glibc

struct JournalFolder: Sendable {
  let dataDirectory: String
  let fileSystem: any FileSystem

  var path: String { dataDirectory + "/journal" }
  var nextPath: String { path + "/next" }

  func path(of number: UInt64) -> String {
    let digits = String(number)
    return path + "/" + String(repeating: "0", count: 20 - digits.utf8.count) + digits + ".journal"
  }

  /// The numbers of the segments, in order. Empty when the folder is missing.
  func numbers() throws(StoreError) -> [UInt64] {
    guard try fileSystem.exists(path) else { return [] }
    let names = try fileSystem.named(path, "list") { () throws(Errno) in try fileSystem.list(path) }
    return names.compactMap(Self.number).sorted()
  }

  private static func number(_ name: String) -> UInt64? {
    guard name.utf8.count == 28, name.hasSuffix(".journal") else { return nil }
    let digits = name.prefix(20)
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return UInt64(digits)
  }

  func remove(_ path: String) throws(StoreError) {
    try fileSystem.named(path, "remove") { () throws(Errno) in
      try uninterrupted { () throws(Errno) in try fileSystem.unlink(path) }
    }
  }

  func open() throws(StoreError) -> any Directory {
    try fileSystem.named(path, "open") { () throws(Errno) in
      try uninterrupted { () throws(Errno) in try fileSystem.openDirectory(path) }
    }
  }

  func sync() throws(StoreError) {
    try fileSystem.named(path, "sync the directory") { () throws(Errno) in try fileSystem.syncDirectory(path) }
  }

  func missing(applied: UInt64) -> StoreError { .missingJournal(path: path, applied: applied) }

  func damage(_ fault: JournalFault) -> StoreError {
    .damaged(
      path: path(of: fault.segment), offset: fault.offset, reason: fault.reason, remedy: remedy(fault))
  }

  func remedy(_ fault: JournalFault) -> String {
    if fault.keeps == 0 {
      return "\(Remedy.backup), or begin anew with an empty --data-dir: no commit before the damage is left to keep"
    }
    return "\(Remedy.backup), or give up what follows with "
      + "`twind recover --data-dir \(dataDirectory) --drop-after \(fault.keeps)`"
  }
}

extension FileSystem {
  func opened(_ path: String, _ access: FileAccess) throws(StoreError) -> any File {
    try named(path, access == .create ? "make" : "open") { () throws(Errno) in
      try uninterrupted { () throws(Errno) in try open(path, access) }
    }
  }
}
