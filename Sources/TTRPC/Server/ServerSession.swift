// A server's connection without its socket: received bytes go in, frames to send come out.
//
// It runs on one thread, that of its executor. The reactor passes it bytes and sends its output; the in-process
// transport and tests do the same without a socket. The stream table has the calls that are not answered at once.
//
// Properties used for every frame skip Swift's run-time exclusivity checks, which cost 55 instructions each: no access
// is held across a call to other code.

import CLinux

/// The state of a connection.
package final class ServerSession {
  let peer: Peer
  let executor: any Executor
  /// What the service knows of the caller, see `Router.admit`.
  @exclusivity(unchecked) var context: AnyObject
  let arena: Arena
  /// The memory used for this connection.
  let share: BufferShare
  /// The connection that sends the output. It sets this to nil in its `deinit`. Not weak, because an object with weak
  /// references counts its references more slowly.
  unowned(unsafe) var host: (any SessionHost)?
  /// Frames to send.
  @exclusivity(unchecked) package var output = SendBuffer()
  /// The connection ends when its output has been sent.
  @exclusivity(unchecked) package private(set) var isClosing = false
  /// Input is discarded; the connection closes when its calls have ended.
  @exclusivity(unchecked) package private(set) var isDeaf = false
  /// The protocol that the client speaks instead of ttrpc.
  @exclusivity(unchecked) private(set) var foreignProtocol: ForeignProtocol?
  /// Whether `receive` has left frames for the next turn.
  @exclusivity(unchecked) package private(set) var isTurnOver = false
  /// New calls are refused.
  @exclusivity(unchecked) private(set) var isDraining = false
  /// How many calls were started.
  @exclusivity(unchecked) private(set) var callCount: UInt64 = 0

  private let router: Router
  let limits: Limits
  @exclusivity(unchecked) private var connection = ServerConnectionState()
  @exclusivity(unchecked) private var streams: [UInt32: ServerCall] = [:]
  /// The stream that produced output last.
  private var lastProducer: UInt32 = 0
  /// Bytes of output that other threads are making for streams.
  private var keptRoomBytes = 0

  /// The state of the unary call that is being handled.
  enum Reply {
    case none
    case made
    case deferred
  }
  @exclusivity(unchecked) var reply = Reply.none
  /// The call that must end before later frames are handled.
  @exclusivity(unchecked) private var holder: UInt32?

  package init(
    router: Router, limits: Limits, peer: Peer, executor: any Executor, arena: Arena,
    share: BufferShare = BufferBudget().share(of: .current)
  ) {
    self.router = router
    self.limits = limits
    self.peer = peer
    context = router.admit(peer)
    self.executor = executor
    self.arena = arena
    self.share = share
  }

  /// Calls being served.
  package var streamCount: Int { streams.count }

  /// Whether no calls are started until output has been sent, or until a call that blocks the others has ended.
  package var isPaused: Bool { isWaitingForReader || holder != nil }

  /// Whether replies wait to be read. A client may have to write more before it can read, like containerd's Go client
  /// 1.2.0 to 1.2.3, which holds a lock that its reader needs. So its input must still be accepted.
  package var isWaitingForReader: Bool { output.byteCount > limits.sendBytesPerConnectionMax }

  /// Whether so much output is unread that not even errors are added.
  package var isStuck: Bool { output.byteCount > limits.sendBytesPerConnectionMax + 2 * Limits.frameBytesMax }

  /// Large replies are made only while the connection uses less memory than this.
  var roomBytes: Int { limits.sendBytesPerConnectionMax }

  /// Whether streams should make more output.
  var wantsOutput: Bool { output.byteCount <= limits.sendBytesPerConnectionMax / 2 && !isClosing }

  /// The same, including output that is being made for streams.
  var hasRoom: Bool {
    output.byteCount + keptRoomBytes <= limits.sendBytesPerConnectionMax / 2 && !isClosing
  }

  func keepRoom(_ byteCount: Int) { keptRoomBytes += byteCount }

  /// Lets others use the room that was released.
  func giveBack(room byteCount: Int) {
    keptRoomBytes -= byteCount
    host?.outputPending()
  }

  // MARK: Input

  /// Handles the complete frames at the beginning of the bytes, which arrived at `now` on the monotonic clock, within
  /// one turn.
  ///
  /// - Returns: how many bytes were handled. The rest is passed again: with more bytes, after a pause, or in the next
  /// turn.
  package func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) -> Int {
    var offset = 0
    isTurnOver = false
    var framesLeft = limits.framesPerTurnMax
    let outputMax = output.byteCount + limits.replyBytesPerTurnMax
    var next = Arrival(in: bytes, at: 0, router)
    while let frame = next, !isClosing && !isDeaf && !isPaused {
      if framesLeft == 0 || output.byteCount >= outputMax || offset >= limits.requestBytesPerTurnMax {
        isTurnOver = true
        return offset
      }
      framesLeft -= 1
      guard !frame.isTooLong else {
        beStopped(by: frame.header, UnsafeRawBufferPointer(rebasing: bytes[offset...]))
        break
      }
      offset = frame.end
      next = Arrival(in: bytes, at: offset, router)
      next?.approach()
      handle(frame, now)
    }
    return isClosing || isDeaf ? bytes.count : offset
  }

  /// Handles a frame that cannot be parsed; neither can anything after it.
  private func beStopped(by header: FrameHeader, _ bytes: UnsafeRawBufferPointer) {
    if callCount == 0, let foreign = ForeignProtocol(bytes) {
      foreignProtocol = foreign
      let answer = foreign.answer
      answer.withUnsafeBytes { output.append(answer.count).copyMemory(from: $0.baseAddress!, byteCount: answer.count) }
      isClosing = true
    } else {
      refuse(header.stream, Self.tooLong(header))
      stopListening(Self.tooLong(header))
    }
  }

  /// Lets calls in progress finish. Streams, which might never end, fail with the reason.
  private func stopListening(_ reason: RPCError) {
    isDeaf = true
    for call in callsInOrder where call.method.shape != .unary {
      abort(call, RPCError(.unavailable, "the connection is closing, connect again: \(reason.message)"))
    }
    if streams.isEmpty { isClosing = true }
  }

  /// Refuses the calls at the beginning of the bytes, one by one, until no more than `bytesLeft` wait.
  ///
  /// - Returns: how many bytes were handled.
  package func refuse(_ bytes: UnsafeRawBufferPointer, downTo bytesLeft: Int, now: UInt64) -> Int {
    var offset = 0
    while bytes.count - offset > bytesLeft, !isStuck, !isDeaf, let frame = Arrival(in: bytes, at: offset, router),
      !frame.isTooLong
    {
      offset = frame.end
      if connection.begins(frame.header) {
        callCount += 1
        refuse(frame.header.stream, unread)
      } else {
        handleOther(frame, now)
      }
    }
    return offset
  }

  private var unread: RPCError {
    RPCError(
      .resourceExhausted,
      "\(output.byteCount) bytes of replies wait to be read on this connection (sendBytesPerConnectionMax "
        + "\(limits.sendBytesPerConnectionMax)), and \(Limits.queuedBytesMax) bytes of requests wait as well "
        + "(queuedBytesMax): read replies before you send more requests",
      limit: .init("sendBytesPerConnectionMax", maximum: limits.sendBytesPerConnectionMax, actual: output.byteCount))
  }

  private static func tooLong(_ header: FrameHeader) -> RPCError {
    RPCError(
      .resourceExhausted,
      "a frame of \(header.length) bytes exceeds the limit of \(Limits.frameBytesMax) (frameBytesMax): send less",
      limit: .init("frameBytesMax", maximum: Limits.frameBytesMax, actual: Int(header.length)))
  }

  /// Handles a frame that was not complete in time.
  func frameTimedOut(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count >= FrameHeader.byteCount, let start = bytes.baseAddress {
      refuse(FrameHeader(start).stream, lateFrame)
    }
    stopListening(lateFrame)
  }

  private var lateFrame: RPCError {
    RPCError(
      .deadlineExceeded,
      "the frame was not complete within \(limits.frameNanosMax / 1_000_000) ms (frameNanosMax): send it whole")
  }

  /// Memory is short, and this connection uses the most: fails all its calls, including one whose frame is incomplete.
  func giveUp(_ bytes: UnsafeRawBufferPointer) {
    let reason = RPCError.buffersFull(share)
    if bytes.count >= FrameHeader.byteCount, let start = bytes.baseAddress {
      let stream = FrameHeader(start).stream
      if streams[stream] == nil { refuse(stream, reason) }
    }
    for call in Array(streams.values) { abort(call, reason) }
    isClosing = true
  }

  @inline(__always)
  private func handle(_ frame: Arrival, _ now: UInt64) {
    if connection.begins(frame.header) { begin(frame, now) } else { handleOther(frame, now) }
  }

  private func handleOther(_ frame: Arrival, _ now: UInt64) {
    let header = frame.header
    let call = streams.isEmpty ? nil : streams[header.stream]
    var state = call?.state
    let action = connection.receive(header, stream: &state)
    if let call, let state { call.state = state }
    switch action {
    case .begin:
      begin(frame, now)
    case .deliver(let hasMessage, let remoteClosed):
      guard let call else { return }
      deliver(hasMessage ? frame.message : nil, remoteClosed: remoteClosed, to: call)
    case .cancel:
      end(header.stream, cancelled: true)
    case .refuse(let error):
      refuse(header.stream, error)
    case .exhausted(let error):
      refuse(header.stream, error)
      stopListening(error)
    case .ignore:
      return
    }
  }

  @inline(__always)
  private func begin(_ frame: Arrival, _ now: UInt64) {
    callCount += 1
    if let method = frame.method {
      method._withUnsafeGuaranteedRef { begin(frame, $0, now) }
    } else {
      refuse(frame.header.stream, frame.problem(router))
    }
  }

  @inline(__always)
  private func begin(_ frame: Arrival, _ method: Method, _ now: UInt64) {
    do throws(RPCError) {
      try admit(frame, method, now)
    } catch {
      refuse(frame.header.stream, error)
    }
  }

  @inline(__always)
  private func admit(_ frame: Arrival, _ method: Method, _ now: UInt64) throws(RPCError) {
    let state = try ServerStreamState(shape: method.shape, flags: frame.header.flags)
    try method.gate?(peer)
    if streams.count >= limits.streamsPerConnectionMax { try checkPlaces(for: method) }
    guard !isDraining else { throw RPCError(.unavailable, "the server is shutting down: try again later") }
    try checkSize(frame.payload, method)
    let deadline = try Self.deadline(frame.timeoutNanos, now)
    if method.shape == .unary {
      try unary(frame, method, deadline)
    } else {
      stream(open(frame.header.stream, method, frame.metadata, deadline, state), frame.payload)
    }
  }

  /// Unary calls and streams are limited separately, so that a client that cannot cancel streams, such as containerd's,
  /// can still make unary calls when it has left many streams open.
  private func checkPlaces(for method: Method) throws(RPCError) {
    let isUnary = method.shape == .unary
    let count = streams.values.count { ($0.method.shape == .unary) == isUnary }
    guard count < limits.streamsPerConnectionMax else {
      throw RPCError(
        .resourceExhausted,
        "\(count) \(isUnary ? "calls" : "streams") are in flight on this connection (streamsPerConnectionMax): "
          + "wait for one to end, or connect again",
        limit: .init("streamsPerConnectionMax", maximum: limits.streamsPerConnectionMax, actual: count + 1))
    }
  }

  private func stream(_ call: ServerCall, _ payload: UnsafeRawBufferPointer) {
    let isClosed = call.state.phase == .halfClosed
    do throws(RPCError) {
      try call.method.stream(call)
    } catch {
      return abort(call, error)
    }
    let hasMessage = call.method.shape == .serverStream || payload.count > 0
    deliver(hasMessage ? payload : nil, remoteClosed: isClosed, to: call)
  }

  @inline(__always)
  private func unary(_ frame: Arrival, _ method: Method, _ deadline: UInt64) throws(RPCError) {
    arena.reset()
    let request = try arena.unpack(method.request, frame.payload)
    reply = .none
    let call = UnaryCall(
      session: Unmanaged.passUnretained(self), id: frame.header.stream, method: Unmanaged.passUnretained(method),
      payload: frame.payload, metadata: frame.metadata, deadlineNanos: deadline)
    do throws(RPCError) {
      try method.unary(request, call)
    } catch {
      // A call is answered once: a reply that was made stands.
      if reply != .made { throw error }
    }
    if reply == .none { throw RPCError(.internal, "the handler of \(method.name) did not reply") }
  }

  private func deliver(_ message: UnsafeRawBufferPointer?, remoteClosed: Bool, to call: ServerCall) {
    do {
      if let message {
        try checkSize(message, call.method)
        try call.onMessage?(call, message)
      }
      if remoteClosed && !call.isEnded { try call.onRemoteClosed?(call) }
    } catch {
      abort(call, error)
    }
  }

  private func checkSize(_ payload: UnsafeRawBufferPointer, _ method: Method) throws(RPCError) {
    guard payload.count <= method.requestBytesMax else {
      throw RPCError(
        .resourceExhausted,
        "a \(method.name) request of \(payload.count) bytes exceeds the limit of \(method.requestBytesMax) "
          + "(\(method.limitName)): split it",
        limit: .init(method.limitName, maximum: method.requestBytesMax, actual: payload.count))
    }
  }

  private static func deadline(_ timeoutNanos: Int64, _ now: UInt64) throws(RPCError) -> UInt64 {
    guard timeoutNanos >= 0 else { throw RPCError.deadlineExceeded }
    guard timeoutNanos > 0 else { return .max }
    let (sum, overflow) = now.addingReportingOverflow(UInt64(timeoutNanos))
    return overflow ? .max : sum
  }

  // MARK: The stream table

  func open(
    _ id: UInt32, _ method: Method, _ metadata: Metadata, _ deadline: UInt64, _ state: ServerStreamState
  ) -> ServerCall {
    let call = ServerCall(self, id, method, metadata, deadline, state)
    streams[id] = call
    if deadline != .max { host?.wake(at: deadline) }
    return call
  }

  /// Holds back later frames until this call has ended.
  func hold(_ id: UInt32) { holder = id }

  /// Lets them continue.
  func release(_ id: UInt32) {
    if holder == id { holder = nil }
  }

  /// Removes the call from the table: no more frames are sent for its id.
  func end(_ id: UInt32, cancelled: Bool) {
    release(id)
    guard let call = streams.removeValue(forKey: id) else { return }
    call.giveRoomBack()
    call.ended(cancelled: cancelled)
    if isDeaf && streams.isEmpty { isClosing = true }
  }

  /// Ends calls whose deadline has passed, a few at a time, so that others are served in between.
  ///
  /// - Returns: the next deadline, which has passed if there are more; `UInt64.max`: none.
  package func tick(now: UInt64) -> UInt64 {
    var next = UInt64.max
    var endsLeft = Self.endsPerTickMax
    for call in callsInOrder {
      if call.deadlineNanos <= now && endsLeft > 0 {
        endsLeft -= 1
        abort(call, call.deadlineError)
      } else {
        next = min(next, call.deadlineNanos)
      }
    }
    return next
  }

  private static let endsPerTickMax = 16

  /// Lets streams make more output after some was sent, beginning with those that had no chance the last time.
  package func produce() {
    guard wantsOutput && !streams.isEmpty else { return }
    let calls = callsInOrder
    let turn = lastProducer
    for call in calls.filter({ $0.id > turn }) + calls.filter({ $0.id <= turn }) where hasRoom {
      lastProducer = call.id
      call.onWritable?(call)
    }
  }

  /// Refuses new calls, and ends streams, which might never end.
  package func drain() {
    isDraining = true
    for call in callsInOrder where call.method.shape != .unary {
      abort(call, RPCError(.unavailable, "the server is shutting down: connect again later"))
    }
  }

  /// The connection is lost: stops all work for it.
  package func close() {
    isClosing = true
    for id in streams.keys.sorted() { end(id, cancelled: true) }
  }

  private var callsInOrder: [ServerCall] { streams.values.sorted { $0.id < $1.id } }

  /// Ends a call and notifies its handler. This may end other calls, too; those that have already ended are skipped.
  func abort(_ call: ServerCall, _ error: RPCError) {
    if !call.isEnded { refuse(call.id, error) }
  }

  /// Replies with an error, which ends an open stream.
  func refuse(_ id: UInt32, _ error: RPCError) {
    appendError(id, error)
    end(id, cancelled: true)
  }
}

extension ServerSession {
  /// Whether a deadline on the monotonic clock has passed.
  @inline(__always)
  static func isPast(_ deadlineNanos: UInt64) -> Bool {
    deadlineNanos != .max && twind_monotonic_nanos() > deadlineNanos
  }
}

extension RPCError {
  static func buffersFull(_ share: BufferShare) -> RPCError {
    RPCError(
      .resourceExhausted,
      "buffers hold \(share.budgetByteCount) of \(share.budgetBytesMax) bytes (bufferBytesMax), \(share.byteCount) of "
        + "them for this connection: read replies as they come and send frames whole, or raise --buffer-limit",
      limit: .init("bufferBytesMax", maximum: share.budgetBytesMax, actual: share.budgetByteCount))
  }

  static let deadlineExceeded = RPCError(.deadlineExceeded, "the deadline passed before the reply was ready")
}
