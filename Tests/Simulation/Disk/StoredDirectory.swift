// A directory's names: as processes see them, and as a power failure leaves them.
//
// Promises: what was made, renamed or removed before the last good sync is kept; each later change is kept or lost by
// itself, a rename as one: both names change or neither does.

enum StoredNode {
  case file(StoredFile)
  case directory(StoredDirectory)
}

final class StoredDirectory {
  private enum Change {
    case link(String, StoredNode)
    case unlink(String)
    case rename(String, to: String, StoredNode)
  }

  private(set) var entries: [String: StoredNode] = [:]
  private var durable: [String: StoredNode] = [:]
  private var unsynced: [Change] = []

  /// In byte order: what happens to them one by one must not depend on a hash.
  var names: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  func link(_ name: String, _ node: StoredNode) { change(.link(name, node)) }

  func unlink(_ name: String) { change(.unlink(name)) }

  func rename(_ name: String, to new: String, _ node: StoredNode) { change(.rename(name, to: new, node)) }

  func sync() {
    durable = entries
    unsynced = []
  }

  /// The power fails, here and in all that is below.
  func losePower(_ random: inout Random) {
    for change in unsynced where random.chance(500) { StoredDirectory.apply(change, to: &durable) }
    unsynced = []
    entries = durable
    for name in names {
      switch entries[name] {
      case .file(let file): file.losePower(&random)
      case .directory(let directory): directory.losePower(&random)
      case nil: break
      }
    }
  }

  /// Every file here and below with its path.
  func files(under path: String) -> [(path: String, file: StoredFile)] {
    names.flatMap { name -> [(String, StoredFile)] in
      switch entries[name] {
      case .file(let file): [("\(path)/\(name)", file)]
      case .directory(let directory): directory.files(under: "\(path)/\(name)")
      case nil: []
      }
    }
  }

  private func change(_ change: Change) {
    StoredDirectory.apply(change, to: &entries)
    unsynced.append(change)
  }

  private static func apply(_ change: Change, to entries: inout [String: StoredNode]) {
    switch change {
    case .link(let name, let node): entries[name] = node
    case .unlink(let name): entries[name] = nil
    case .rename(let name, let new, let node):
      entries[name] = nil
      entries[new] = node
    }
  }
}
