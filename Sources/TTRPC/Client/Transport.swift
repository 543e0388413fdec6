// What carries a client's bytes: a socket, or a server in the same process.

/// A stream of bytes in both directions that never blocks but in `wait`. One thread sends and one receives at a time.
protocol Transport: AnyObject, Sendable {
  /// Sends some of the bytes.
  func send(_ bytes: UnsafeRawBufferPointer) -> TransportResult
  /// Receives some bytes.
  func receive(into room: UnsafeMutableRawBufferPointer) -> TransportResult
  /// Waits until something can be received or sent, as asked for, or until the deadline on the monotonic clock. May
  /// return early.
  func wait(for interest: TransportInterest, until deadlineNanos: UInt64)
  /// Wakes whoever waits; everything answers `closed` from now on.
  func close()
}

struct TransportInterest: OptionSet {
  let rawValue: UInt8

  static let readable = TransportInterest(rawValue: 1)
  static let writable = TransportInterest(rawValue: 2)
}

enum TransportResult: Equatable {
  case bytes(Int)
  case wouldBlock
  case closed
}
