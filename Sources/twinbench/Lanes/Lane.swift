// One connection as the load sees it.

/// Carries calls. One thread uses it. Tags tell calls in flight apart: each below the window, given by the caller.
protocol Lane: AnyObject, SendableMetatype {
  /// Begins a call; it is sent by `flush`.
  func begin(_ call: Call, tag: UInt32) throws
  func flush() throws
  /// Waits until a call has ended or the deadline on the monotonic clock has passed (`UInt64.max` = none).
  /// - Returns: how many tags of calls that ended stand in `ended`.
  func receive(until deadline: UInt64, into ended: UnsafeMutableBufferPointer<UInt32>) throws -> Int
}
