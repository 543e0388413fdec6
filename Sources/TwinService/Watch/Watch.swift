// One watch: a cursor, not a queue. It moves only while its connection takes what it makes.
//
//   listing ──► snapshot ──► following
//      ▲            │
//      └── page ────┘         (a watch of names, or one that resumes, lists nothing)
//
// A commit that falls between the beginning and the twin's own turn in the snapshot is in the snapshot; it is left out
// when it comes by in the feed.

import Synchronization
import TTRPC
import TwinCore
import TwinStore

/// Confined to the thread of its call.
final class Watch: @unchecked Sendable {
  private enum Phase {
    /// A worker looks for the names after this one.
    case listing
    /// These are next in the snapshot; `isLast` = none follow.
    case snapshot(names: ArraySlice<[UInt8]>, isLast: Bool)
    case following
  }

  private static let pageNames = 256
  private static let orders = Atomic<UInt64>(0)

  /// When it began among all watches: who is woken first is no chance.
  let order = orders.add(1, ordering: .relaxed).newValue
  /// Called when the watch has ended by itself, or its call has.
  var onEnd: () -> Void = {}

  private let call: ServerCall
  private let query: WatchQuery
  private let store: Store
  private let workers: Workers
  private var phase: Phase
  /// Everything up to here has been delivered, but for the snapshot.
  private var cursor: UInt64
  /// Twins whose snapshot is newer than the cursor at the beginning, with their revisions.
  private var ahead: [[UInt8]: UInt64] = [:]
  private var quietCommits = 0

  /// Throws OUT_OF_RANGE when the commits after `fromSequence` are not there.
  init(_ call: ServerCall, _ query: WatchQuery, store: Store, workers: Workers) throws(TwinError) {
    self.call = call
    self.query = query
    self.store = store
    self.workers = workers
    if let sequence = query.fromSequence {
      var unused: [CommitRecord] = []
      try store.commits(after: sequence, limit: 0, into: &unused)
      cursor = sequence
      phase = .following
      return
    }
    cursor = store.head
    switch query.twins {
    case .names(let names): phase = .snapshot(names: names[...], isLast: true)
    case .prefix: phase = .snapshot(names: [], isLast: false)
    }
  }

  /// Makes what the connection takes.
  func advance() {
    while call.isWritable && !call.isEnded {
      switch phase {
      case .listing: return
      case .snapshot(let names, let isLast):
        if names.isEmpty && !isLast {
          phase = .listing
          return list(after: lastListed)
        }
        sendSnapshot(names, isLast)
      case .following:
        guard follow() else { return }
      }
    }
  }

  // MARK: Snapshot

  private var lastListed: [UInt8] = []

  /// Has a worker look for the next names.
  private func list(after last: [UInt8]) {
    guard case .prefix(let prefix) = query.twins else { return }
    do throws(RPCError) {
      try workers.submit { [self, store] in
        let page = Result { () throws(StoreError) in
          try store.names(prefix: prefix, after: last, limit: Self.pageNames)
        }
        call.onThread { _ in self.listed(page) }
      }
    } catch {
      end(error)
    }
  }

  private func listed(_ page: Result<NamePage, StoreError>) {
    guard !call.isEnded else { return }
    switch page {
    case .failure(let error): end(RPCError(error))
    case .success(let page):
      lastListed = page.names.last ?? lastListed
      phase = .snapshot(names: page.names[...], isLast: page.isLast)
      advance()
    }
  }

  /// Sends one part: as many twins as fit.
  private func sendSnapshot(_ names: ArraySlice<[UInt8]>, _ isLast: Bool) {
    var rest = names
    var frame = WatchFrame(query)
    while let name = rest.first, frame.byteCount < ServiceLimits.snapshotBytesMax {
      name.withUnsafeBytes { bytes in
        store.withTwin(TwinName(unchecked: bytes)) { (image, _) in
          guard let image else { return }
          if image.revision > cursor { ahead[name] = image.revision }
          if !image.isDeleted { frame.add(snapshot: image) }
        }
      }
      rest.removeFirst()
    }
    let isComplete = rest.isEmpty && isLast
    phase = isComplete ? .following : .snapshot(names: rest, isLast: isLast)
    if isComplete || !frame.isEmpty { frame.send(on: call, sequence: isComplete ? cursor : 0, isComplete) }
  }

  // MARK: Changes

  /// Delivers some commits; false when there are no more.
  private func follow() -> Bool {
    var commits: [CommitRecord] = []
    do throws(TwinError) {
      try store.commits(after: cursor, limit: ServiceLimits.watchTurnCommitsMax, into: &commits)
    } catch {
      // Once begun, only the feed's bound can put it out of range.
      end(
        RPCError(
          TwinError(
            .resourceExhausted,
            "the watch fell behind what is kept (feedBytesMax): resume from a snapshot, and read faster",
            detail: error.detail)))
      return false
    }
    guard !commits.isEmpty else { return false }
    if query.coalesce { deliverCoalesced(commits) } else { deliver(commits) }
    return true
  }

  private func deliver(_ commits: [CommitRecord]) {
    for commit in commits {
      guard call.isWritable else { return }
      var frame = WatchFrame(query)
      for change in commit.changes where isNews(change) { frame.add(change: change) }
      advance(to: commit.sequence, frame)
    }
  }

  private func deliverCoalesced(_ commits: [CommitRecord]) {
    var merged = CoalescedChanges()
    for commit in commits {
      for change in commit.changes where isNews(change) { merged.add(change) }
    }
    var frame = WatchFrame(query)
    merged.forEach { frame.add(coalesced: $0) }
    advance(to: commits[commits.count - 1].sequence, frame)
  }

  /// Whether this watch is for the change, and the snapshot did not have it.
  private func isNews(_ change: TwinImage) -> Bool {
    guard query.covers(change.name) else { return false }
    guard !ahead.isEmpty, let revision = ahead[change.name.array] else { return true }
    if change.revision >= revision { ahead[change.name.array] = nil }
    return change.revision > revision
  }

  private func advance(to sequence: UInt64, _ frame: WatchFrame) {
    cursor = sequence
    quietCommits = frame.isEmpty ? quietCommits + 1 : 0
    guard !frame.isEmpty || quietCommits >= ServiceLimits.watchQuietCommitsMax else { return }
    quietCommits = 0
    frame.send(on: call, sequence: sequence, false)
  }

  private func end(_ error: RPCError) {
    call.fail(error)
    onEnd()
  }
}
