// Who has how many connections, and who gets another.
//
// Promises: never more than `connectionsMax` ordinary places and `connectionsReservedMax` reserved ones are taken, so that
// descriptors for them can be budgeted; a reserved one is given only to an operator who finds no ordinary one; one user
// never has more ordinary ones than `connectionsPerUserMax`. Knows no socket; the server asks it under a lock.

/// A place, held for as long as this object lives: a connection's outlives its descriptor.
final class Seat: Sendable {
  let place: ConnectionPlaces.Place
  private let leave: @Sendable () -> Void

  /// - Parameter leave: called once, on whichever thread.
  init(_ place: ConnectionPlaces.Place, leave: @escaping @Sendable () -> Void) {
    self.place = place
    self.leave = leave
  }

  deinit { leave() }
}

/// Counts of places by user.
struct ConnectionPlaces {
  /// What a connection holds until it is closed.
  enum Place: Equatable {
    case ordinary
    /// Beyond `connectionsMax`, for operators.
    case reserved
  }

  /// Why there is none.
  enum Denial: Error, Equatable {
    /// All places that the peer may take are taken.
    case full
    /// The peer's user has as many as one may have.
    case user
  }

  /// So much of `connectionsMax` taken makes it crowded.
  static let crowdedPercent = 90

  private let limits: Limits
  private(set) var ordinaryCount = 0
  private(set) var reservedCount = 0
  /// Ordinary places by uid; no entry is 0.
  private var byUser: [UInt32: Int] = [:]

  init(_ limits: Limits) { self.limits = limits }

  var isCrowded: Bool { ordinaryCount * 100 >= limits.connectionsMax * Self.crowdedPercent }

  mutating func take(_ uid: UInt32, isOperator: Bool) throws(Denial) -> Place {
    let denial: Denial
    if ordinaryCount >= limits.connectionsMax {
      denial = .full
    } else if byUser[uid, default: 0] >= limits.connectionsPerUserMax {
      denial = .user
    } else {
      ordinaryCount += 1
      byUser[uid, default: 0] += 1
      return .ordinary
    }
    guard isOperator, reservedCount < limits.connectionsReservedMax else { throw denial }
    reservedCount += 1
    return .reserved
  }

  mutating func leave(_ place: Place, _ uid: UInt32) {
    switch place {
    case .reserved: reservedCount -= 1
    case .ordinary:
      ordinaryCount -= 1
      let left = byUser[uid, default: 0] - 1
      byUser[uid] = left > 0 ? left : nil
    }
    assert(ordinaryCount >= 0 && reservedCount >= 0 && byUser.values.reduce(0, +) == ordinaryCount)
  }

  /// What a peer is told who gets none: who has the places, and what to do.
  func refusal(_ denial: Denial, _ uid: UInt32, isOperator: Bool) -> RPCError {
    if denial == .user && !isOperator {
      let count = byUser[uid, default: 0]
      return RPCError(
        .resourceExhausted,
        "user \(uid) has \(count) connections, as many as one user may have "
          + "(connectionsPerUserMax): close some, or share them",
        limit: .init("connectionsPerUserMax", maximum: limits.connectionsPerUserMax, actual: count + 1))
    }
    let reserved =
      isOperator ? ", and the \(limits.connectionsReservedMax) for operators (connectionsReservedMax)," : ""
    return RPCError(
      .resourceExhausted,
      "all \(limits.connectionsMax) connections (connectionsMax)\(reserved) are taken, \(holders): close some, or raise "
        + "the limit",
      limit: .init("connectionsMax", maximum: limits.connectionsMax, actual: ordinaryCount + 1))
  }

  /// Those who have the most: "900 by user 1000 and 100 by user 0".
  private var holders: String {
    let most = byUser.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
    return most.map { "\($0.value) by user \($0.key)" }.joined(separator: " and ")
  }
}
