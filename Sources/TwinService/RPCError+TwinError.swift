// Converts TwinError to RPCError.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension RPCError {
  init(_ error: TwinError, limit: Limit? = nil) {
    // Both enumerations hold gRPC's numbers.
    let code = TTRPC.StatusCode(rawValue: error.code.rawValue) ?? .unknown
    self.init(code, error.message, details: error.detail.map { [Detail($0)] } ?? [], limit: limit)
  }

  /// The disk could not be read or written. The message for the operator has the file and what to do.
  init(_ error: StoreError) {
    let code: TTRPC.StatusCode =
      if error.isTemporary { .resourceExhausted } else if error.isDataLoss { .dataLoss } else { .unavailable }
    self.init(code, error.description)
  }
}

extension RPCError.Detail {
  fileprivate init(_ detail: TwinError.Detail) {
    let arena = Arena(chunkBytes: 1024)
    switch detail {
    case .conflict(let name, let currentRevision, let lastAgent, let recordedAt):
      let message = arena.make(Twind__V1__ConflictDetail.self)
      message.pointee.name = arena.string(name)
      message.pointee.current_revision = currentRevision
      message.pointee.last_agent = arena.string(lastAgent)
      message.pointee.recorded_at = recordedAt
      self.init(message)
    case .resume(let oldest, let head):
      let message = arena.make(Twind__V1__ResumeDetail.self)
      message.pointee.oldest_sequence = oldest
      message.pointee.head_sequence = head
      self.init(message)
    case .limit(let name, let maximum, let actual): self.init(limit: name, maximum: maximum, actual: actual)
    }
  }

  private init(limit: String, maximum: UInt64, actual: UInt64) {
    let arena = Arena(chunkBytes: 1024)
    let message = arena.make(Twind__V1__LimitDetail.self)
    message.pointee.limit = arena.string(limit)
    message.pointee.maximum = maximum
    message.pointee.actual = actual
    self.init(message)
  }

  /// For a limit of the transport.
  init(_ limit: RPCError.Limit) { self.init(limit: limit.name, maximum: limit.maximum, actual: limit.actual) }

  private init<Message: ProtobufMessage>(_ message: UnsafeMutablePointer<Message>) {
    self.init(typeURL: "type.googleapis.com/" + Message.descriptor.name, value: message.encoded())
  }
}

extension Arena {
  func string(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
    bytes.withUnsafeBytes { string($0) }
  }
}

/// Runs domain code in a handler and converts its errors.
@inline(__always)
func onWire<Result>(_ body: () throws(TwinError) -> Result) throws(RPCError) -> Result {
  do throws(TwinError) {
    return try body()
  } catch {
    throw RPCError(error)
  }
}
