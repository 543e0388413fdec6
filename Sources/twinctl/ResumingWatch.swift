// A watch that survives lost connections.
//
//   watching ──► connection lost ──► pause ──► resume after the last sequence
//                                                │ no longer kept
//                                                └──► snapshot: twins above that sequence are printed as they are

import Glibc
import TTRPC
import TwinClient

struct ResumingWatch {
  private static let pauseMicrosMin: UInt32 = 100_000
  private static let pauseMicrosMax: UInt32 = 5_000_000

  private let client: TwindClient
  private let printer: WatchPrinter
  private var options: WatchOptions
  /// Everything up to this sequence has been printed, or was not wanted.
  private var position: UInt64
  private var wasConnected = false
  private var isResuming = false
  private var pauseMicros = ResumingWatch.pauseMicrosMin
  /// When the watch was started, on the monotonic clock.
  private var begunAt = ContinuousClock.now

  init(_ client: TwindClient, _ options: WatchOptions, _ printer: WatchPrinter) {
    self.client = client
    self.options = options
    self.printer = printer
    position = options.fromSequence ?? 0
  }

  /// Prints until an error that waiting cannot fix.
  mutating func run() throws {
    while true {
      do {
        begunAt = .now
        let watch = try client.watch(options)
        wasConnected = true
        while let event = try watch.next() { try take(event) }
        resume("the daemon ended the watch")
      } catch let error as RPCError {
        try recover(error)
      }
    }
  }

  private mutating func take(_ event: WatchEvent) throws {
    try printer.print(event, above: position)
    guard event.sequence > 0 else { return }
    isResuming = false
    position = event.sequence
    options.fromSequence = position
  }

  private mutating func recover(_ error: RPCError) throws {
    switch error.code {
    case .unavailable where wasConnected:
      resume(error.message)
    case .outOfRange where isResuming, .resourceExhausted where options.fromSequence != nil && wasConnected:
      Terminal.warn(
        "the daemon no longer has the changes after sequence \(position): showing changed twins as they are now")
      options.fromSequence = nil
    default: throw error
    }
  }

  private mutating func resume(_ why: String) {
    if !isResuming { Terminal.warn("\(why); waiting for the daemon") }
    isResuming = true
    // A daemon that ends every watch at once is asked less and less often, even if each brings something.
    if begunAt.duration(to: .now) > .microseconds(Int64(Self.pauseMicrosMax)) { pauseMicros = Self.pauseMicrosMin }
    usleep(UInt32.random(in: pauseMicros / 2...pauseMicros))
    pauseMicros = min(pauseMicros * 2, Self.pauseMicrosMax)
  }
}
