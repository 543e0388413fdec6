// Reads: one twin, many, or all in order.

import CTwindProto
import TTRPC
import TwinRoutes

/// Options of reads.
public struct ReadOptions: Sendable {
  /// Names of attributes, including those below them ("address" includes "address.city"); empty: all.
  public var attributes: [String] = []
  /// What the data is for; empty: not stated.
  public var purpose = ""
  /// Wait up to a second until this sequence is visible.
  public var minSequence: UInt64 = 0
  /// The twin as it was at this time (valid time), in microseconds since the epoch; nil: now. Only for `get` of one
  /// twin.
  public var validAt: Int64?
  /// The twin as it was known at this time (recorded time); nil: now. Only for `get` of one twin. Throws
  /// INVALID_ARGUMENT for a time in the future, and OUT_OF_RANGE if history that old is not kept. Access is always
  /// decided as of now.
  public var knownAt: Int64?
  /// Include `Twin.scheduled`. Only for `list`.
  public var withScheduled = false

  public init() {}

  /// Reads of many twins are of the present.
  func checkPresent() throws(RPCError) {
    guard validAt == nil && knownAt == nil else {
      throw RPCError(.invalidArgument, "validAt and knownAt work for one twin at a time: get the twins one by one")
    }
  }
}

/// A twin that was read.
public struct ReadResult: Sendable {
  /// nil if it has not changed since the given revision.
  public let twin: Twin?
  /// The reply includes everything up to this sequence.
  public let sequence: UInt64
  public let redactions: [Redaction]
}

/// Twins that were read at one sequence.
public struct BatchReadResult: Sendable {
  /// In the order of the request.
  public let results: [(name: String, result: Result<Twin, RPCError>)]
  public let sequence: UInt64
  public let redactions: [Redaction]
}

/// One page of a list.
public struct Page: Sendable {
  public let twins: [Twin]
  /// Empty: this is the last page.
  public let nextPageToken: String
  public let sequence: UInt64
  public let redactions: [Redaction]
}

extension TwindClient {
  /// Reads one twin. Throws NOT_FOUND if it does not exist.
  public func get(
    _ name: String, _ options: ReadOptions = ReadOptions(), ifNewerThan revision: UInt64 = 0
  ) throws(RPCError) -> ReadResult {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    let request = try Self.request(arena, name, options, revision)
    return try rpc.call(TwinServiceRoutes.getTwin, request).read { ReadResult($0) }
  }

  /// The same without blocking a thread.
  public func get(
    _ name: String, _ options: ReadOptions = ReadOptions(), ifNewerThan revision: UInt64 = 0
  ) async throws -> ReadResult {
    let arena = Arena(chunkBytes: 1024)
    defer { withExtendedLifetime(arena) {} }
    let request = try Self.request(arena, name, options, revision)
    return try await rpc.callAsync(TwinServiceRoutes.getTwin, request).read { ReadResult($0) }
  }

  /// Reads up to 256 twins at one sequence.
  public func get(many names: [String], _ options: ReadOptions = ReadOptions()) throws(RPCError) -> BatchReadResult {
    try options.checkPresent()
    let reply = try call(TwinServiceRoutes.batchGetTwins) { arena, request in
      request.pointee.n_names = names.count
      request.pointee.names = arena.strings(names)
      request.pointee.n_attributes = options.attributes.count
      request.pointee.attributes = arena.strings(options.attributes)
      request.pointee.purpose = arena.string(options.purpose)
      request.pointee.min_sequence = options.minSequence
    }
    return reply.read { reply in
      let message = reply.pointee
      return BatchReadResult(
        results: messages(message.results, message.n_results).map(Self.result), sequence: message.sequence,
        redactions: messages(message.redactions, message.n_redactions).map { Redaction($0) })
    }
  }

  /// Reads one page of the twins whose names begin with the prefix, in byte order of their names.
  public func list(
    prefix: String, pageSize: Int = 0, pageToken: String = "", namesOnly: Bool = false,
    _ options: ReadOptions = ReadOptions()
  ) throws(RPCError) -> Page {
    try options.checkPresent()
    let reply = try call(TwinServiceRoutes.listTwins) { arena, request in
      request.pointee.prefix = arena.string(prefix)
      request.pointee.page_size = Int32(clamping: pageSize)
      request.pointee.page_token = arena.string(pageToken)
      request.pointee.n_attributes = options.attributes.count
      request.pointee.attributes = arena.strings(options.attributes)
      request.pointee.purpose = arena.string(options.purpose)
      request.pointee.names_only = namesOnly ? 1 : 0
      request.pointee.with_scheduled = options.withScheduled ? 1 : 0
    }
    return reply.read { reply in
      let message = reply.pointee
      return Page(
        twins: messages(message.twins, message.n_twins).map { Twin($0) },
        nextPageToken: String(cString: message.next_page_token), sequence: message.sequence,
        redactions: messages(message.redactions, message.n_redactions).map { Redaction($0) })
    }
  }

  private static func request(
    _ arena: Arena, _ name: String, _ options: ReadOptions, _ revision: UInt64
  ) throws(RPCError) -> UnsafePointer<Twind__V1__GetTwinRequest> {
    let request = arena.make(Twind__V1__GetTwinRequest.self)
    request.pointee.name = arena.string(name)
    request.pointee.n_attributes = options.attributes.count
    request.pointee.attributes = arena.strings(options.attributes)
    request.pointee.purpose = arena.string(options.purpose)
    request.pointee.min_sequence = options.minSequence
    request.pointee.if_newer_than_revision = revision
    request.pointee.valid_at = try wireTime(options.validAt, "validAt")
    request.pointee.known_at = try wireTime(options.knownAt, "knownAt")
    return UnsafePointer(request)
  }

  private static func result(
    _ message: UnsafePointer<Twind__V1__TwinResult>
  ) -> (name: String, result: Result<Twin, RPCError>) {
    let name = String(cString: message.pointee.name)
    if message.pointee.result_case == TWIND__V1__TWIN_RESULT__RESULT_TWIN {
      return (name, .success(Twin(message.pointee.twin)))
    }
    guard message.pointee.result_case == TWIND__V1__TWIN_RESULT__RESULT_STATUS else {
      return (name, .failure(RPCError(.internal, "the reply has neither a twin nor a status for \(name)")))
    }
    let status = message.pointee.status.pointee
    let code = StatusCode(rawValue: status.code) ?? .unknown
    return (name, .failure(RPCError(code, String(cString: status.message))))
  }
}

extension ReadResult {
  fileprivate init(_ message: UnsafePointer<Twind__V1__GetTwinResponse>) {
    twin = message.pointee.twin.map { Twin($0) }
    sequence = message.pointee.sequence
    redactions = messages(message.pointee.redactions, message.pointee.n_redactions).map { Redaction($0) }
  }
}
