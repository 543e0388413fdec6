// A server session without a socket: tests write frames into it and read the frames that it answers.

import EchoService
import TTRPC
import Threads

/// One frame as tests write and read it.
struct Frame: Equatable, CustomStringConvertible {
  var stream: UInt32
  var type: FrameType
  var flags: FrameFlags = []
  var message: [UInt8] = []

  var bytes: [UInt8] {
    var header = [UInt8](repeating: 0, count: FrameHeader.byteCount)
    header.withUnsafeMutableBytes { buffer in
      FrameHeader(length: UInt32(message.count), stream: stream, type: type, flags: flags)
        .write(to: buffer.baseAddress!)
    }
    return header + message
  }

  /// A request of an Echo method, or of any other.
  static func request(
    _ stream: UInt32, _ method: String, _ payload: [UInt8] = [], flags: FrameFlags = [], timeoutNanos: Int64 = 0,
    service: String = "ttrpc.interop.Echo"
  ) -> Frame {
    var envelope = Field.text(1, service) + Field.text(2, method)
    if !payload.isEmpty { envelope += Field.bytes(3, payload) }
    if timeoutNanos != 0 { envelope += Field.number(4, UInt64(bitPattern: timeoutNanos)) }
    return Frame(stream: stream, type: .request, flags: flags, message: envelope)
  }

  static func data(_ stream: UInt32, _ message: [UInt8] = [], flags: FrameFlags = []) -> Frame {
    Frame(stream: stream, type: .data, flags: flags, message: message)
  }

  static func end(_ stream: UInt32) -> Frame { data(stream, flags: [.remoteClosed, .noData]) }

  static func cancel(_ stream: UInt32) -> Frame { Frame(stream: stream, type: .cancel) }

  /// All frames in the bytes, which hold whole frames only.
  static func all(_ bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let decoded = rest.withUnsafeBytes { FrameDecoding.decode($0) }
      guard case .frame(let header) = decoded else { preconditionFailure("no whole frame: \(decoded)") }
      let end = rest.startIndex + FrameHeader.byteCount + Int(header.length)
      frames.append(
        Frame(
          stream: header.stream, type: header.type, flags: header.flags,
          message: Array(rest[(rest.startIndex + FrameHeader.byteCount)..<end])))
      rest = rest[end...]
    }
    return frames
  }

  /// The status of a response; `ok` when it is none.
  var code: StatusCode? {
    guard type == .response else { return nil }
    return message.withUnsafeBytes { bytes in
      guard let envelope = try? ResponseEnvelope(bytes) else { return nil }
      return envelope.error?.code ?? .ok
    }
  }

  /// The error of a response.
  var error: RPCError? { message.withUnsafeBytes { try? ResponseEnvelope($0).error } }

  /// The echoed text of a response or a data frame.
  var text: String? {
    message.withUnsafeBytes { bytes in
      let arena = Arena(chunkBytes: 1024)
      guard let payload = type == .response ? try? ResponseEnvelope(bytes).payload : bytes else { return nil }
      return (try? arena.unpack(EchoResponse.self, payload)).map { String(cString: $0.pointee.text) }
    }
  }

  var description: String {
    switch type {
    case .response: "response \(stream): \(error?.description ?? text ?? "?")"
    case .data: "data \(stream) flags \(flags.rawValue): \(text ?? "?")"
    default: "type \(type.rawValue) on \(stream)"
    }
  }
}

/// The session, and the thread that owns it: the test's own.
final class SessionHarness: Executor, @unchecked Sendable {
  private(set) var session: ServerSession!
  private let lock = Lock()
  private var jobs: [@Sendable () -> Void] = []
  /// What the monotonic clock says to the session.
  var now: UInt64 = 1_000_000_000

  init(_ router: Router, limits: Limits = Limits()) {
    session = ServerSession(
      router: router, limits: limits, peer: Peer(uid: 1, gid: 1), executor: self, arena: Arena())
  }

  static func echo(limits: Limits = Limits()) -> SessionHarness {
    var router = Router()
    router.serveEcho()
    return SessionHarness(router, limits: limits)
  }

  func post(for call: ServerCall?, _ job: @escaping @Sendable () -> Void) { lock.withLock { jobs.append(job) } }

  func runJobs() {
    let taken = lock.withLock {
      defer { jobs.removeAll() }
      return jobs
    }
    for job in taken { job() }
  }

  /// Gives the session bytes and returns how many it took.
  @discardableResult
  func receive(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { session.receive($0, now: now) } }

  /// Gives the session frames and returns what it answers.
  @discardableResult
  func exchange(_ frames: Frame...) -> [Frame] {
    receive(frames.flatMap(\.bytes))
    return output()
  }

  /// Takes what the session has answered.
  func output() -> [Frame] {
    let bytes = Array(session.output.bytes)
    session.output.consume(bytes.count)
    return Frame.all(bytes)
  }
}
