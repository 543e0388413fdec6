// How a client's bytes travel: over a socket, or to a server in the same process.

/// A byte stream in both directions. Only `wait` blocks. One thread may send and one receive at the same time.
protocol Transport: AnyObject, Sendable {
  /// Sends some of the bytes.
  func send(_ bytes: UnsafeRawBufferPointer) -> TransportResult
  /// Receives some bytes.
  func receive(into room: UnsafeMutableRawBufferPointer) -> TransportResult
  /// Waits until it can receive or send, as requested, or until the deadline on the monotonic clock. May return early.
  func wait(for interest: TransportInterest, until deadlineNanos: UInt64)
  /// Wakes waiting threads; from now on all functions return `closed`.
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
