// The memory budget for everything in progress: received bytes, replies that wait to be read, what open calls keep, and
// replies that other threads are making.
//
// Memory is counted when it is allocated, on the share of its connection. The shares of a user's connections are
// limited together, so that one user cannot use up all memory. Thread-safe.

import Synchronization
import Threads

/// The bound of one server.
public final class BufferBudget: Sendable {
  /// Users other than the server's own, and root, may hold this part of the budget together with all their connections.
  private static let userPart = 3
  private static let userParts = 4

  public let bytesMax: Int
  private let held = Atomic(0)
  private let shareCount = Atomic(0)
  private let lock = Lock()
  /// By uid; a user's count stays when its last connection has gone.
  nonisolated(unsafe) private var users: [UInt32: User] = [:]

  /// What one user's connections hold together.
  fileprivate final class User: Sendable {
    let held = Atomic(0)
  }

  public init(bytesMax: Int = .max) { self.bytesMax = bytesMax }

  /// Bytes held now.
  public var byteCount: Int { held.load(ordering: .relaxed) }

  /// More is held than may be: something was allocated before it could be counted.
  package var isExceeded: Bool { byteCount > bytesMax }

  /// What each connection could hold if all held the same. When more is held than may be, some hold more than this.
  package var fairBytes: Int { bytesMax / max(1, shareCount.load(ordering: .relaxed)) }

  /// A new connection's share.
  package func share(of peer: Peer) -> BufferShare {
    let user = lock.withLock {
      if let user = users[peer.uid] { return user }
      let user = User()
      users[peer.uid] = user
      return user
    }
    let isBounded = peer.uid != 0 && peer != .current && bytesMax != .max
    shareCount.add(1, ordering: .relaxed)
    return BufferShare(self, user, userBytesMax: isBounded ? bytesMax / Self.userParts * Self.userPart : .max)
  }

  fileprivate func add(_ count: Int) { held.add(count, ordering: .relaxed) }

  fileprivate func endShare() { shareCount.subtract(1, ordering: .relaxed) }
}

/// What one connection holds of the budget.
public final class BufferShare: Sendable {
  private let budget: BufferBudget
  private let user: BufferBudget.User
  private let userBytesMax: Int
  private let held = Atomic(0)
  private let output = Atomic(0)

  fileprivate init(_ budget: BufferBudget, _ user: BufferBudget.User, userBytesMax: Int) {
    self.budget = budget
    self.user = user
    self.userBytesMax = userBytesMax
  }

  deinit {
    precondition(byteCount == 0, "whoever counts on a share gives all of it back")
    budget.endShare()
  }

  /// Bytes held for the connection now.
  public var byteCount: Int { held.load(ordering: .relaxed) }

  /// The whole budget's bound and what is held of it.
  public var budgetBytesMax: Int { budget.bytesMax }
  public var budgetByteCount: Int { budget.byteCount }

  /// Counts what has been allocated already, or given back.
  package func add(_ count: Int) {
    held.add(count, ordering: .relaxed)
    user.held.add(count, ordering: .relaxed)
    budget.add(count)
  }

  /// Counts what is about to be allocated. False, and nothing is counted, when there is no room for it. Who holds
  /// little is not refused for what others hold: the largest of those is closed instead.
  package func reserve(_ count: Int) -> Bool {
    add(count)
    let fits = budget.byteCount <= budget.bytesMax || byteCount <= max(budget.fairBytes, Self.smallBytes)
    if fits && user.held.load(ordering: .relaxed) <= userBytesMax { return true }
    add(-count)
    return false
  }

  /// One large reply.
  private static let smallBytes = 4 << 20

  /// Replies that wait for the connection's reader, in bytes, as told last.
  var outputBytes: Int { output.load(ordering: .relaxed) }

  func setOutputBytes(_ count: Int) { output.store(count, ordering: .relaxed) }
}
