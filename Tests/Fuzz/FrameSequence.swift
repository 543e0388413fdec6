// One random sequence of frames, most of them almost right, and what must hold of the answers.

import EchoService
import TTRPC

/// A fault that a sequence found.
struct Fault: Error, CustomStringConvertible {
  let description: String
}

/// Runs jobs when it is told to, on the one thread there is.
final class LoopExecutor: Executor, @unchecked Sendable {
  private var jobs: [@Sendable () -> Void] = []

  func post(for call: ServerCall?, _ job: @escaping @Sendable () -> Void) { jobs.append(job) }

  func run() {
    while !jobs.isEmpty { jobs.removeFirst()() }
  }
}

struct FrameSequence {
  private static let router = {
    var router = Router()
    router.serveEcho()
    HealthService().register(in: &router)
    return router
  }()
  private static let methods = ["Echo", "Fail", "Empty", "EchoStream", "Count", "Collect", "Missing", ""]

  private var random: SeededGenerator
  private let executor = LoopExecutor()
  private let limits = Limits()
  private let session: ServerSession
  private var now: UInt64 = 1_000_000
  /// Ids that a request frame named, and those that a Response without blame went to.
  private var requested: Set<UInt32> = []
  private var answered: Set<UInt32> = []
  private var nextStream: UInt32 = 1

  init(seed: UInt64) {
    random = SeededGenerator(state: seed)
    session = ServerSession(
      router: Self.router, limits: limits, peer: Peer(uid: 1, gid: 1), executor: executor, arena: Arena())
  }

  /// Runs the sequence and returns how many frames it had.
  mutating func run() throws -> Int {
    let count = Int.random(in: 1...40, using: &random)
    var pending: [UInt8] = []
    for _ in 0..<count {
      pending += frame()
      // What arrives is cut anywhere.
      let cut = Bool.random(using: &random) ? pending.count : Int.random(in: 0...pending.count, using: &random)
      let consumed = pending[..<cut].withUnsafeBytes { session.receive($0, now: now) }
      pending.removeFirst(consumed)
      executor.run()
      now += UInt64.random(in: 0...1_000_000, using: &random)
      _ = session.tick(now: now)
      session.produce()
      try check()
    }
    if !session.isClosing && pending.isEmpty { try checkAlive() }
    session.close()
    return count
  }

  // MARK: Input

  private mutating func frame() -> [UInt8] {
    let type = [1, 1, 1, 1, 3, 3, 2, 0x10, 0, 255][Int.random(in: 0..<10, using: &random)]
    var message: [UInt8] = []
    if type == 1 { message = envelope() } else if type == 3 { message = payload() }
    if Int.random(in: 0..<8, using: &random) == 0 { mutate(&message) }
    let stream = stream(isRequest: type == 1)
    if type == 1 { requested.insert(stream) }
    let flags = [0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 255][Int.random(in: 0..<11, using: &random)]
    var length = UInt32(message.count)
    if Int.random(in: 0..<200, using: &random) == 0 { length = UInt32.random(in: 0...UInt32.max, using: &random) }
    var header = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    header.withUnsafeMutableBytes { bytes in
      FrameHeader(
        length: length, stream: stream, type: FrameType(rawValue: UInt8(type)),
        flags: FrameFlags(rawValue: UInt8(flags))
      ).write(to: bytes.baseAddress!)
    }
    return header + message
  }

  private mutating func stream(isRequest: Bool) -> UInt32 {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return UInt32.random(in: 0...UInt32.max, using: &random)
    case 1: return UInt32.random(in: 0...nextStream + 4, using: &random)
    default:
      if !isRequest { return nextStream < 3 ? 1 : nextStream - 2 }
      defer { nextStream += 2 }
      return nextStream
    }
  }

  private mutating func envelope() -> [UInt8] {
    let method = Self.methods.randomElement(using: &random)!
    var bytes = field(1, Array("ttrpc.interop.Echo".utf8)) + field(2, Array(method.utf8)) + field(3, payload())
    if Int.random(in: 0..<4, using: &random) == 0 { bytes += [0x20, UInt8.random(in: 0..<128, using: &random)] }
    if Int.random(in: 0..<4, using: &random) == 0 { bytes += field(5, field(1, [97]) + field(2, [98])) }
    return bytes
  }

  private mutating func payload() -> [UInt8] {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return []
    case 1: return (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 2: return field(1, [0xff, 0xfe])
    case 3: return [0x18, UInt8.random(in: 0..<20, using: &random)]
    default: return field(1, Array("7".utf8)) + field(2, [UInt8](repeating: 1, count: 100))
    }
  }

  private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    let length = bytes.count < 128 ? [UInt8(bytes.count)] : [UInt8(bytes.count & 127 | 128), UInt8(bytes.count >> 7)]
    return [number << 3 | 2] + length + bytes
  }

  private mutating func mutate(_ message: inout [UInt8]) {
    guard !message.isEmpty else { return }
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let index = Int.random(in: 0..<message.count, using: &random)
      message[index] = UInt8.random(in: 0...255, using: &random)
    }
  }

  // MARK: Output

  private mutating func check() throws {
    guard session.streamCount <= limits.streamsPerConnectionMax else {
      throw Fault(description: "\(session.streamCount) calls are open")
    }
    while true {
      let rest = session.output.bytes
      guard case .frame(let header) = FrameDecoding.decode(rest) else {
        guard rest.isEmpty else { throw Fault(description: "the output holds a part of a frame") }
        return
      }
      let end = FrameHeader.byteCount + Int(header.length)
      try check(header, UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount..<end]))
      session.output.consume(end)
    }
  }

  private mutating func check(_ header: FrameHeader, _ message: UnsafeRawBufferPointer) throws {
    guard header.type == .response || header.type == .data else {
      throw Fault(description: "a frame of type \(header.type.rawValue) came from the server")
    }
    guard header.type == .response else {
      guard requested.contains(header.stream) else {
        throw Fault(description: "data on \(header.stream), never opened")
      }
      return
    }
    let envelope = try ResponseEnvelope(message)
    let isBlame = envelope.error?.code == .invalidArgument || session.isClosing
    if !requested.contains(header.stream) && !isBlame {
      throw Fault(description: "an answer to \(header.stream), never opened: \(String(describing: envelope.error))")
    }
    // Blame comes as often as a client earns it; every call is answered once.
    if !isBlame && !answered.insert(header.stream).inserted {
      throw Fault(description: "a second answer to \(header.stream)")
    }
  }

  /// A good call on a fresh id is answered.
  private mutating func checkAlive() throws {
    let id = (requested.filter { $0 & 1 == 1 }.max() ?? 0) &+ 2 | 1
    guard id > nextStream, session.streamCount < limits.streamsPerConnectionMax else { return }
    let message = field(1, Array("ttrpc.interop.Echo".utf8)) + field(2, Array("Echo".utf8))
    var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    bytes.withUnsafeMutableBytes {
      FrameHeader(length: UInt32(message.count), stream: id, type: .request).write(to: $0.baseAddress!)
    }
    requested.insert(id)
    _ = (bytes + message).withUnsafeBytes { session.receive($0, now: now) }
    try check()
    guard answered.contains(id) else { throw Fault(description: "a good call on \(id) was not answered") }
  }
}

/// SplitMix64: the same seed, the same sequence, on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}
