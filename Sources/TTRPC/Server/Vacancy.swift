// Which connections may be closed to make room for a new one.
//
// A connection that has never made a call loses only the time to reconnect, and a client that leaks connections has
// many of them. So these are closed, one for each new connection, but not within `silentNanosMin`, since a client may
// need a moment until its first call.
//
// A connection that has made a call is not closed, with one exception: the connections reserved for operators. When all
// of them are in use, a new operator's connection replaces one without a call in flight. Otherwise agents that run as
// the daemon's own user could lock the operator out with idle connections.

/// Which connections may be closed for a new one.
struct Vacancy: Sendable {
  /// Opened before this time on the monotonic clock.
  var openedBefore: UInt64
  /// Only connections of this user; nil: of any user.
  var uid: UInt32?
  /// Whether idle reserved connections may be closed, too.
  var isOperator = false

  func allows(_ connection: Connection) -> Bool {
    guard connection.openedAt <= openedBefore else { return false }
    if isOperator && connection.seat.place == .reserved { return connection.isIdle }
    return connection.isSilent && (uid == nil || uid == connection.session.peer.uid)
  }
}

extension Reactor {
  /// Closes connections as far as the vacancy allows, at most `countMax`: silent ones first, then the oldest.
  ///
  /// - Returns: how many. Their descriptors are closed and their places are free when the next jobs run.
  func close(_ vacancy: Vacancy, countMax: Int, because reason: @autoclosure () -> RPCError) -> Int {
    let found = connections.filter(vacancy.allows).sorted {
      ($0.isSilent ? 0 : 1, $0.openedAt) < ($1.isSilent ? 0 : 1, $1.openedAt)
    }
    let closing = found.prefix(countMax)
    if closing.isEmpty { return 0 }
    let reason = reason()
    for connection in closing { connection.dismiss(reason) }
    return closing.count
  }
}
