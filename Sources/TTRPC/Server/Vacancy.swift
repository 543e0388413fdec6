// Which connections may be closed so that a newcomer gets a place.
//
// A connection that never made a call loses nothing but the time to connect again, and a thousand of them are what a
// client looks like that leaks them: so they go first, one for each newcomer. They are left alone for `silentNanosMin`,
// as whoever connects may need a moment to its first call. Whoever has made a call is never closed for that, with one
// exception: the places reserved for operators are for short visits. When they are all taken, an operator's newcomer gets
// that of a connection which has no call under way; otherwise agents that run as the daemon's own user could keep the
// operator out with connections that they only hold.

/// What a newcomer may have closed.
struct Vacancy: Sendable {
  /// Opened before this time on the monotonic clock.
  var openedBefore: UInt64
  /// Only this user's; nil = anyone's.
  var uid: UInt32?
  /// Idle ones in reserved places too.
  var isOperator = false

  func allows(_ connection: Connection) -> Bool {
    guard connection.openedAt <= openedBefore else { return false }
    if isOperator && connection.seat.place == .reserved { return connection.isIdle }
    return connection.isSilent && (uid == nil || uid == connection.session.peer.uid)
  }
}

extension Reactor {
  /// Closes so many of its connections as the vacancy allows, at most `countMax`: the silent ones first, then the oldest.
  ///
  /// - Returns: how many. Their descriptors are closed, and their places free, when the jobs posted next are run.
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
