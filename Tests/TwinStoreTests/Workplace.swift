// A directory and a clock for a store in a test, short ways to write and read, and threads.

import Threads
import CTwindProto
import Foundation
import TwinCore
import TwinFixtures
import TwinStore

/// A directory that goes away with the object.
final class Workplace: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "twind-test-" + UUID().uuidString
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// With small segments, unless the options say otherwise.
  func open(
    clock: any TwinStore.Clock = SystemClock(), options: Store.Options = .small
  ) throws(StoreError) -> Store {
    try Store(directory: path, options: options, clock: clock)
  }

  /// What a crash at this moment would leave on disk.
  func copy() throws -> Workplace {
    let copy = Workplace()
    try FileManager.default.copyItem(atPath: path, toPath: copy.path)
    return copy
  }
}

extension Store.Options {
  static var small: Store.Options {
    var options = Store.Options()
    options.journal = JournalOptions(segmentBytes: 1 << 20, recordBytesMax: 256 << 10)
    return options
  }
}

/// Stands still until it is told.
final class ManualClock: TwinStore.Clock, @unchecked Sendable {
  private let lock = NSLock()
  private var micros: Int64 = 1_700_000_000_000_000
  /// What somebody has set the time of day ahead by.
  private var ahead: Int64 = 0

  func wallMicros() -> Int64 { lock.withLock { micros + ahead } }
  func elapsedNanos() -> UInt64 { lock.withLock { UInt64(micros) * 1_000 } }
  func monotonicNanos() -> UInt64 { elapsedNanos() }
  func jump(by micros: Int64) { lock.withLock { ahead += micros } }
  func pause(micros: UInt32) { advance(micros: Int64(micros)) }
  func advance(micros: Int64) { lock.withLock { self.micros += micros } }
}

extension Store {
  @discardableResult
  func update(
    _ name: String, _ values: [String: Literal], expected: UInt64? = nil, key: String = "", agent: String = "tester"
  ) throws(TwinError) -> CommitResult {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let changes = values.map { requests.set($0.key, $0.value) }
    let command = try Command(
      update: requests.update(name, changes, expected: expected, key: key), agent: Text(requests.text(agent)))
    return try commit(command, RequestHash(meaning: UInt64(values.count), payload: 0)).result
  }

  /// The same values in all of these twins, in one commit.
  @discardableResult
  func update(all names: [String], _ values: [String: Literal]) throws(TwinError) -> CommitResult {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let changes = values.map { requests.set($0.key, $0.value) }
    let batch = requests.batch(names.map { requests.update($0, changes) })
    return try commit(try Command(batch: batch, agent: Text(requests.text("tester"))), .none)
      .result
  }

  @discardableResult
  func delete(_ name: String) throws(TwinError) -> CommitResult {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    return try commit(
      try Command(delete: requests.delete(name), agent: Text(requests.text("tester"))), .none
    ).result
  }

  /// A twin's attributes; nil when it does not exist.
  func read(_ name: String) throws(TwinError) -> [UnpackedAttribute]? {
    try image(name).flatMap { $0.isDeleted ? nil : $0.unpacked }
  }

  func value(_ name: String, _ attribute: String) throws(TwinError) -> Literal? {
    try read(name)?.first { $0.name == attribute }?.value
  }

  func revision(_ name: String) throws(TwinError) -> UInt64? { try image(name)?.revision }

  /// From memory, or loaded into it.
  func image(_ name: String) throws(TwinError) -> TwinImage? {
    try withBytes(name) { (bytes: UnsafeRawBufferPointer) throws(TwinError) in
      let name = try TwinName(bytes)
      while true {
        switch withTwin(name, in: .unlimited, { found, _, _ in found }) {
        case .image(let image): return image
        case .absent: return nil
        case .cold: _ = try pin([name.array], bytesMax: 1)
        }
      }
    }
  }

  /// Runs `body` on several twins of one moment; all must be in memory.
  func readAll(_ names: [String], _ body: (Int, TwinImage?) -> Void) -> UInt64 {
    let requests = Requests()
    defer { withExtendedLifetime(requests) {} }
    let names = names.map { TwinName(unchecked: Text(requests.text($0)).bytes) }
    return withTwins(names, in: .unlimited) { index, found, _ in
      if case .image(let image) = found { body(index, image) } else { body(index, nil) }
    }
  }
}

/// Runs all of them at once and waits for all.
func inThreads(_ bodies: [@Sendable () -> Void]) {
  let group = DispatchGroup()
  for body in bodies {
    group.enter()
    Thread.detachNewThread {
      body()
      group.leave()
    }
  }
  group.wait()
}
