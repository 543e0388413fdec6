// Counts connections, and decides who gets another one.
//
// There are at most `connectionsMax` ordinary connections and `connectionsReservedMax` reserved ones, so that
// descriptors can be budgeted. A user has at most `connectionsPerUserMax` ordinary ones. A reserved one is only for an
// operator when no ordinary one is free. The server calls it with a lock held.

/// A reserved connection, for as long as this object exists. It outlives the connection's descriptor.
final class Seat: Sendable {
  let place: ConnectionPlaces.Place
  private let leave: @Sendable () -> Void

  /// - Parameter leave: called once, on any thread.
  init(_ place: ConnectionPlaces.Place, leave: @escaping @Sendable () -> Void) {
    self.place = place
    self.leave = leave
  }

  deinit { leave() }
}

/// Counts connections by user.
struct ConnectionPlaces {
  /// What a connection holds until it is closed.
  enum Place: Equatable {
    case ordinary
    /// Beyond `connectionsMax`, for operators.
    case reserved
  }

  /// Why a connection is refused.
  enum Denial: Error, Equatable {
    /// All connections that the peer may use are in use.
    case full
    /// The peer's user has the most that a user may have.
    case user
  }

  /// It is crowded when this percentage of `connectionsMax` is in use.
  static let crowdedPercent = 90

  private let limits: Limits
  private(set) var ordinaryCount = 0
  private(set) var reservedCount = 0
  /// Ordinary connections by uid; no entry is 0.
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

  /// The error for a refused peer: who has the connections, and what to do.
  func refusal(_ denial: Denial, _ uid: UInt32, isOperator: Bool) -> RPCError {
    if denial == .user && !isOperator {
      let count = byUser[uid, default: 0]
      return RPCError(
        .resourceExhausted,
        "user \(uid) has \(count) connections, the most that one user may have (connectionsPerUserMax): close some, or "
          + "share them",
        limit: .init("connectionsPerUserMax", maximum: limits.connectionsPerUserMax, actual: count + 1))
    }
    let reserved =
      isOperator ? ", and the \(limits.connectionsReservedMax) for operators (connectionsReservedMax)," : ""
    return RPCError(
      .resourceExhausted,
      "all \(limits.connectionsMax) connections (connectionsMax)\(reserved) are in use, \(holders): close some, or "
        + "raise the limit",
      limit: .init("connectionsMax", maximum: limits.connectionsMax, actual: ordinaryCount + 1))
  }

  /// The users with the most: "900 by user 1000 and 100 by user 0".
  private var holders: String {
    let most = byUser.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
    return most.map { "\($0.value) by user \($0.key)" }.joined(separator: " and ")
  }
}
