// What carries a client's bytes: a socket, or a server in the same process.

/// A stream of bytes in both directions that never blocks but in `wait`. One thread sends and one receives at a time.
protocol Transport: AnyObject, Sendable {
  /// Sends some of the bytes.
  func send(_ bytes: UnsafeRawBufferPointer) -> TransportResult
  /// Receives some bytes.
  func receive(into room: UnsafeMutableRawBufferPointer) -> TransportResult
  /// Waits until something can be received, or sent when asked for, or until the deadline on the monotonic clock.
  func wait(writable: Bool, until deadlineNanos: UInt64)
  /// Wakes whoever waits; everything answers `closed` from now on.
  func close()
}

enum TransportResult: Equatable {
  case bytes(Int)
  case wouldBlock
  case closed
}
