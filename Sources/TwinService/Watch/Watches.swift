// The watches of each reactor, and their common wake-up.

import Threads
import CTwindProto
import Synchronization
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func watchTwins(_ call: ServerCall) {
    call.onMessage = { [watches] (call, bytes) throws(RPCError) in
      let request = try call.unpack(Twind__V1__WatchTwinsRequest.self, bytes)
      let query = try onWire { () throws(TwinError) in try WatchQuery(request) }
      try call.reserve(query.byteCount)
      try onWire { () throws(TwinError) in try watches.begin(call, query) }
    }
  }
}

/// All watches, by the reactor that serves them.
final class Watches: Sendable {
  private let store: Store
  private let workers: Workers
  private let lock = Lock()
  nonisolated(unsafe) private var rounds: [ObjectIdentifier: WatchRound] = [:]
  private let open = Atomic(0)

  init(store: Store, workers: Workers) {
    self.store = store
    self.workers = workers
  }

  /// Watches open now.
  var count: Int { open.load(ordering: .relaxed) }

  /// Begins a watch, on its call's thread. Throws OUT_OF_RANGE when it cannot resume from where it wants to.
  func begin(_ call: ServerCall, _ query: WatchQuery) throws(TwinError) {
    let watch = try Watch(call, query, store: store, workers: workers)
    let round = round(of: call.executor)
    open.add(1, ordering: .relaxed)
    // Round and call hold the watch until the call has ended, which is always told: by `onCancelled`, or by the watch.
    call.onWritable = { _ in watch.advance() }
    watch.onEnd = { [self] watch in
      if round.remove(watch) { open.subtract(1, ordering: .relaxed) }
    }
    call.onCancelled = { watch.onEnd(watch) }
    round.add(watch)
    watch.advance()
  }

  private func round(of executor: any Executor) -> WatchRound {
    lock.withLock {
      if let round = rounds[ObjectIdentifier(executor)] { return round }
      let round = WatchRound(executor, store.feed)
      rounds[ObjectIdentifier(executor)] = round
      return round
    }
  }
}

/// One reactor's watches. Confined to its thread, but for being made.
private final class WatchRound: @unchecked Sendable {
  private var watches: [ObjectIdentifier: Watch] = [:]
  private var bell: FeedBell!

  init(_ executor: any Executor, _ feed: Feed) {
    bell = FeedBell { [weak self, weak executor] in
      guard let self, let executor else { return }
      executor.post { self.advance() }
    }
    feed.add(bell)
  }

  func add(_ watch: Watch) {
    watches[ObjectIdentifier(watch)] = watch
    bell.arm()
  }

  /// False when it was not there.
  func remove(_ watch: Watch) -> Bool { watches.removeValue(forKey: ObjectIdentifier(watch)) != nil }

  /// The feed has more: woken once, however much that is.
  private func advance() {
    guard !watches.isEmpty else { return }
    bell.arm()
    for watch in watches.values.sorted(by: { $0.order < $1.order }) { watch.advance() }
  }
}
