// A watch is a cursor, not a queue. It moves only while its connection has room for output.
//
//   reading ──► snapshot ──► following ──► catching up
//      ▲            │            ▲              │
//      └── page ────┘            └──────────────┘
//
// A worker reads from disk: the next names and those of their twins that are not in memory, or commits that are no
// longer in the feed. A watch of given names does not read names, and one that resumes has no snapshot.
//
// If a twin changes between the start of the snapshot and its own turn, the snapshot has the change, which is then
// skipped in the feed. The snapshot is complete when the feed has reached the newest change in it: then all twins are
// consistent, and a watch can resume from there.

import Synchronization
import TTRPC
import TwinCore
import TwinStore

/// Used on the call's thread only.
final class Watch: @unchecked Sendable {
  private enum Phase {
    /// A worker reads the disk.
    case reading
    /// These are next in the snapshot; `isLast`: no more follow.
    case snapshot(names: ArraySlice<[UInt8]>, isLast: Bool)
    case following
  }

  private static let pageNames = 256
  private static let orders = Atomic<UInt64>(0)

  /// Its rank in the order in which watches started, so that they are woken in a fixed order.
  let order = orders.add(1, ordering: .relaxed).newValue
  /// Called when the watch or its call has ended.
  var onEnd: (Watch) -> Void = { _ in }

  private let call: ServerCall
  private let caller: Caller
  private let query: WatchQuery
  private let store: Store
  private let workers: Workers
  private var phase: Phase
  /// Everything up to this sequence has been delivered, except for the snapshot.
  private var cursor: UInt64
  /// The highest revision in the snapshot, until the snapshot has been reported as complete.
  private var snapshotRevision: UInt64? = 0
  /// Twins whose snapshot is newer than the initial cursor, with their revisions.
  private var ahead: [[UInt8]: UInt64] = [:]
  /// Bytes of `ahead`, and how many of them are counted on the call.
  private var aheadBytes = 0
  private var aheadReserved = 0
  private var quietCommits = 0
  /// Twins of the snapshot that are not in memory.
  private var loaded: [[UInt8]: TwinImage] = [:]
  /// Twins of the next commit, in memory until it is judged.
  private var pinned: PinnedTwins?

  /// Throws OUT_OF_RANGE when the commits after `fromSequence` are not there.
  init(_ call: ServerCall, _ query: WatchQuery, store: Store, workers: Workers) throws(TwinError) {
    self.call = call
    caller = call.caller.takeUnretainedValue()
    self.query = query
    self.store = store
    self.workers = workers
    if let sequence = query.fromSequence {
      try store.checkResumable(sequence)
      cursor = sequence
      phase = .following
      snapshotRevision = nil
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
      case .reading: return
      case .snapshot(let names, let isLast):
        if names.isEmpty && !isLast { return list(after: lastListed) }
        guard sendSnapshot(names, isLast) else { return }
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
    read { (store) throws(StoreError) in
      try store.names(prefix: prefix, after: last, limit: Self.pageNames)
    } then: { watch, page in
      watch.lastListed = page.names.last ?? watch.lastListed
      watch.phase = .snapshot(names: page.names[...], isLast: page.isLast)
    }
  }

  /// Has a worker read these twins.
  private func load(_ next: ArraySlice<[UInt8]>, _ names: ArraySlice<[UInt8]>, _ isLast: Bool) {
    read { (store) throws(StoreError) in
      var found: [[UInt8]: TwinImage] = [:]
      var byteCount = 0
      for name in next where byteCount < ServiceLimits.snapshotBytesMax {
        let image = try store.twin(name, in: .unlimited)?.image ?? TwinImage.absent(name)
        byteCount += image.byteCount
        found[name] = image
      }
      return found
    } then: { watch, found in
      watch.loaded = found
      watch.phase = .snapshot(names: names, isLast: isLast)
    }
  }

  /// Runs the first body on a worker and the second, with what it found, on the call's thread; then goes on.
  private func read<Found: Sendable>(
    _ body: @escaping @Sendable (Store) throws(StoreError) -> Found,
    then take: @escaping @Sendable (Watch, Found) -> Void
  ) {
    phase = .reading
    do throws(RPCError) {
      try workers.submit(for: call) { [self, store] in
        let found = Result { () throws(StoreError) in try body(store) }
        call.onThread { [self] _ in
          guard !call.isEnded else { return }
          switch found {
          case .failure(let error): end(RPCError(error))
          case .success(let found):
            take(self, found)
            advance()
          }
        }
      }
    } catch {
      end(error)
    }
  }

  /// Sends one part: as many twins as fit. False when a twin has to be read first.
  private func sendSnapshot(_ names: ArraySlice<[UInt8]>, _ isLast: Bool) -> Bool {
    let view = view
    var rest = names
    var frame = WatchFrame(query)
    while let name = rest.first, frame.byteCount < ServiceLimits.snapshotBytesMax {
      let isCold = name.withUnsafeBytes { bytes in
        store.withTwin(TwinName(unchecked: bytes), in: view) { (found, sight, _) in
          switch found {
          case .image(let image): add(SeenTwin(image: image, sight: sight), name, to: &frame)
          case .absent: break
          case .cold: return true
          }
          return false
        }
      }
      if isCold {
        guard let image = loaded[name] else { break }
        if image.revision > 0 { add(store.seen(image, in: view), name, to: &frame) }
      }
      rest.removeFirst()
    }
    guard countAhead() else { return false }
    let isLastPart = rest.isEmpty && isLast
    let isStuck = !rest.isEmpty && rest.count == names.count
    phase = isLastPart ? .following : .snapshot(names: rest, isLast: isLast)
    if isLastPart { loaded = [:] }
    let isComplete = isLastPart && completesSnapshot(at: cursor)
    if isComplete || !frame.isEmpty { frame.send(on: call, sequence: isComplete ? cursor : 0, isComplete) }
    if isStuck { load(rest.prefix(Self.pageNames), rest, isLast) }
    return !isStuck
  }

  /// Whether the snapshot, all of which was sent, is complete once everything up to here has been delivered. Says so
  /// once.
  private func completesSnapshot(at sequence: UInt64) -> Bool {
    guard let snapshotRevision, snapshotRevision <= sequence else { return false }
    self.snapshotRevision = nil
    return true
  }

  private func add(_ twin: SeenTwin, _ name: [UInt8], to frame: inout WatchFrame) {
    let image = twin.image
    if let snapshotRevision { self.snapshotRevision = max(snapshotRevision, image.revision) }
    if image.revision > cursor && ahead.updateValue(image.revision, forKey: name) == nil {
      aheadBytes += name.count + Self.aheadEntryBytes
    }
    if !image.isDeleted { frame.add(snapshot: image, twin.sight) }
  }

  /// A dictionary's place for a name and a revision, and the name's allocation.
  private static let aheadEntryBytes = 96
  private static let aheadStepBytes = 64 << 10

  /// Counts what `ahead` has grown by. False: there is no memory for it, and the watch has ended.
  private func countAhead() -> Bool {
    do throws(RPCError) {
      while aheadBytes > aheadReserved {
        try call.reserve(Self.aheadStepBytes)
        aheadReserved += Self.aheadStepBytes
      }
      return true
    } catch {
      end(error)
      return false
    }
  }

  private func forgetAhead(_ name: [UInt8]) {
    guard ahead.removeValue(forKey: name) != nil else { return }
    aheadBytes -= name.count + Self.aheadEntryBytes
    guard ahead.isEmpty else { return }
    ahead = [:]
    call.giveBack(aheadReserved)
    aheadReserved = 0
  }

  // MARK: Changes

  /// Delivers some commits; false when there are no more.
  private func follow() -> Bool {
    var commits: [CommitRecord] = []
    guard store.commits(after: cursor, limit: ServiceLimits.watchTurnCommitsMax, into: &commits) else {
      catchUp()
      return false
    }
    guard !commits.isEmpty else { return false }
    take(commits)
    return true
  }

  private func take(_ commits: [CommitRecord]) {
    let judged = judge(commits)
    if judged.isEmpty { return load(twinsOf: commits[0]) }
    pinned = nil
    if query.coalesce { deliverCoalesced(judged) } else { deliver(judged) }
  }

  /// A commit with those of its changes that the watch is for.
  private struct Judged {
    let sequence: UInt64
    let changes: [SeenTwin]
  }

  /// What this watch sees of the commits, up to the first one with a twin that has to be loaded to tell.
  private func judge(_ commits: [CommitRecord]) -> [Judged] {
    let view = view
    var judged: [Judged] = []
    for commit in commits {
      var changes: [SeenTwin] = []
      for change in commit.changes where query.covers(change.name) {
        guard let seen = store.seen(change: change, in: view) else { return judged }
        changes.append(seen)
      }
      judged.append(Judged(sequence: commit.sequence, changes: changes))
    }
    return judged
  }

  /// Has a worker load the twins of a commit, which then stay in memory until its changes are judged.
  private func load(twinsOf commit: CommitRecord) {
    let names = commit.changes.map(\.name).filter(query.covers).map(\.array)
    read { (store) throws(StoreError) in
      Result { () throws(TwinError) in try store.pin(names, bytesMax: .max) }
    } then: { watch, pinned in
      watch.phase = .following
      switch pinned {
      case .success(let pinned): watch.pinned = pinned
      case .failure(let error): watch.end(RPCError(error))
      }
    }
  }

  /// What the caller sees now.
  private var view: View {
    query.withPurpose { purpose in
      guard let view = try? caller.view(for: purpose) else { preconditionFailure("the purpose of a watch was checked") }
      return view
    }
  }

  /// What lies between the cursor and the feed is read from the facts on disk.
  private func catchUp() {
    let lag = store.head - cursor
    guard lag <= ServiceLimits.watchLagCommitsMax, isKept else { return end(tooFarBehind(lag)) }
    let cursor = cursor
    read { (store) throws(StoreError) in
      try store.storedCommits(after: cursor, atLeast: ServiceLimits.watchTurnCommitsMax)
    } then: { watch, commits in
      watch.phase = .following
      // What was read may have lost facts to retention meanwhile.
      guard watch.isKept else { return watch.end(watch.tooFarBehind(lag)) }
      if commits.isEmpty { return watch.end(RPCError(.dataLoss, "the commits after \(cursor) are not on disk")) }
      watch.take(commits)
    }
  }

  /// Whether everything behind the cursor is still there.
  private var isKept: Bool { (try? store.checkResumable(cursor)) != nil }

  private func tooFarBehind(_ lag: UInt64) -> RPCError {
    let resume = TwinError(
      .resourceExhausted,
      "the watch is \(lag) commits behind, more than is allowed or kept (watchLagCommitsMax): start again from a "
        + "snapshot, and read faster",
      detail: .resume(oldest: store.oldestResumable, head: store.head))
    return RPCError(
      resume,
      limit: .init("watchLagCommitsMax", maximum: Int(ServiceLimits.watchLagCommitsMax), actual: Int(clamping: lag)))
  }

  private func deliver(_ commits: [Judged]) {
    for commit in commits {
      guard call.isWritable else { return }
      var frame = WatchFrame(query)
      for change in commit.changes where isNews(change.image) { frame.add(change: change) }
      advance(to: commit.sequence, frame)
    }
  }

  private func deliverCoalesced(_ commits: [Judged]) {
    var merged = CoalescedChanges()
    for commit in commits {
      for change in commit.changes where isNews(change.image) { merged.add(change) }
    }
    var frame = WatchFrame(query)
    merged.forEach { frame.add(coalesced: $0) }
    advance(to: commits[commits.count - 1].sequence, frame)
  }

  /// Whether the snapshot did not have the change.
  private func isNews(_ change: TwinImage) -> Bool {
    guard !ahead.isEmpty, let revision = ahead[change.name.array] else { return true }
    if change.revision >= revision { forgetAhead(change.name.array) }
    return change.revision > revision
  }

  private func advance(to sequence: UInt64, _ frame: WatchFrame) {
    cursor = sequence
    let isComplete = completesSnapshot(at: sequence)
    let isQuiet = frame.isEmpty && !isComplete
    quietCommits = isQuiet ? quietCommits + 1 : 0
    // There is no progress to tell of before the snapshot is complete.
    guard !isQuiet || (snapshotRevision == nil && quietCommits >= ServiceLimits.watchQuietCommitsMax) else { return }
    quietCommits = 0
    frame.send(on: call, sequence: snapshotRevision == nil ? sequence : 0, isComplete)
  }

  private func end(_ error: RPCError) {
    call.fail(error)
    onEnd(self)
  }
}
