// The backups of a history: what is known of each, and what must be on the disk at its end.
//
// Promises: one that was acknowledged is there, whole, whatever happens later; one that was cut short is there whole, or
// not at all. Each is the model at one sequence, restored.

import TwinStore

struct Backups {
  enum State {
    case none
    /// Acknowledged, up to this sequence.
    case whole(UInt64)
    /// Cut short: if it is there, it is up to one of these.
    case doubtful(ClosedRange<UInt64>)
  }

  static let directory = "/backups"
  /// Few, so that one that was cut short is tried again.
  static let paths = ["/backups/a.twind", "/backups/b.twind"]

  private var states: [String: State] = [:]

  subscript(path: String) -> State {
    get { states[path] ?? .none }
    set { states[path] = newValue }
  }

  /// Restores all that are there.
  func check(_ world: World, _ random: inout Random) throws(HistoryFailure) {
    func restore(_ content: [UInt8], _ range: ClosedRange<UInt64>) throws(HistoryFailure) {
      var restored = try Restored(content, random.fork())
      try restored.check(world, range)
    }
    for path in Self.paths {
      let content = world.disk.content(path)
      do throws(HistoryFailure) {
        switch self[path] {
        case .none:
          if content != nil { throw HistoryFailure("it is there, and should not be") }
        case .whole(let sequence):
          guard let content else { throw HistoryFailure("it was acknowledged, and is not there") }
          try restore(content, sequence...sequence)
        case .doubtful(let range):
          if let content { try restore(content, range) }
        }
      } catch {
        throw HistoryFailure("the backup \(path): \(error)")
      }
    }
  }

  /// What a backup of this name has left on the disk beside itself.
  static func leftovers(_ path: String, _ disk: SimulatedDisk) -> [String] {
    disk.paths.filter { $0.hasPrefix(path) && $0 != path }
  }
}
