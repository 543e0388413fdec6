// A server stream that is read from disk in parts: ListFacts, ExportFacts.
//
// A worker reads the next part only when the connection has room for it, and it is sent as soon as it is read. While a
// stream waits for its reader, it keeps only its position, not a part.

import TTRPC
import TwinCore
import TwinStore

/// One message of such a stream.
protocol StreamPart: Sendable {
  /// Whether it is the last one.
  var isLast: Bool { get }
  func send(on call: ServerCall)
}

/// Reads parts step by step; other jobs can run between the steps.
protocol PartReader: Sendable {
  associatedtype Part: StreamPart
  /// Reads more. nil: there is nothing to send yet.
  mutating func step(_ store: Store) throws(RPCError) -> Part?
}

/// Used on the call's thread only.
final class PartStream<Reader: PartReader>: @unchecked Sendable {
  /// About how much memory a part needs while it is made and sent.
  private static var partBytes: Int { TwinCore.Limits.historyPageBytesMax }

  fileprivate let store: Store
  fileprivate let workers: Workers
  /// The reader, positioned after what was sent.
  private var reader: Reader
  private var isReading = false

  init(_ reader: Reader, _ store: Store, _ workers: Workers) {
    self.reader = reader
    self.store = store
    self.workers = workers
  }

  func begin(on call: ServerCall) throws(RPCError) {
    // The call holds the stream until it ends.
    call.onWritable = { self.advance($0) }
    try read(call)
  }

  private func advance(_ call: ServerCall) {
    guard !isReading && !call.isEnded && call.isWritable else { return }
    do throws(RPCError) {
      try read(call)
    } catch {
      call.fail(error)
    }
  }

  private func read(_ call: ServerCall) throws(RPCError) {
    try call.reserve(Self.partBytes)
    do throws(RPCError) {
      try PartRead(self, reader, call).submit()
    } catch {
      call.giveBack(Self.partBytes)
      throw error
    }
    isReading = true
    call.keepRoom(byteCount: Self.partBytes)
  }

  /// - Parameters:
  ///   - reader: positioned after the part.
  ///   - restrictions: `Store.restrictions` before the part was read. If rules have come into force since, it is read
  ///     again.
  fileprivate func take(
    _ result: Result<Reader.Part, RPCError>, _ reader: Reader, _ restrictions: UInt64, _ call: ServerCall
  ) {
    isReading = false
    call.giveBack(Self.partBytes)
    call.giveRoomBack()
    guard !call.isEnded else { return }
    switch result {
    case .success where restrictions != store.restrictions:
      advance(call)
    case .success(let part):
      self.reader = reader
      part.send(on: call)
      if part.isLast { return call.finish() }
      advance(call)
    case .failure(let error):
      call.fail(error)
    }
  }
}

/// The read of one part, in as many steps as it takes. Used by one thread at a time, a worker's: a step hands it to the
/// next.
private final class PartRead<Reader: PartReader>: @unchecked Sendable {
  private let stream: PartStream<Reader>
  private let call: ServerCall
  private var reader: Reader
  private let restrictions: UInt64

  init(_ stream: PartStream<Reader>, _ reader: Reader, _ call: ServerCall) {
    self.stream = stream
    restrictions = stream.store.restrictions
    self.reader = reader
    self.call = call
  }

  func submit() throws(RPCError) { try stream.workers.submit(for: call) { self.step() } }

  private func step() {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      if let part = try reader.step(stream.store) { return deliver(.success(part)) }
      try stream.workers.resubmit(for: call) { self.step() }
    } catch {
      deliver(.failure(error))
    }
  }

  private func deliver(_ result: Result<Reader.Part, RPCError>) {
    call.onThread { [stream, reader, restrictions] in stream.take(result, reader, restrictions, $0) }
  }
}
