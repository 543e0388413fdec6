// Descriptions of methods for servers and clients. The values are generated from the protos.

/// Which sides of a call send a stream of messages.
public enum StreamingShape: Sendable, CaseIterable {
  case unary
  case clientStream
  case serverStream
  case bidirectionalStream

  package var clientStreams: Bool { self == .clientStream || self == .bidirectionalStream }
  package var serverStreams: Bool { self == .serverStream || self == .bidirectionalStream }
}

/// Who may call a method.
public enum Caller: Sendable {
  case anyone
  /// Whom the server's gate for operators lets through.
  case operators
}

/// A method's path, shape and bound, typed by its messages.
public struct Route<Request: ProtobufMessage, Response: ProtobufMessage>: Sendable {
  /// "twind.v1.TwinService"
  public let service: String
  /// "GetTwin"
  public let method: String
  public let shape: StreamingShape
  /// Bytes of one request message.
  public let requestBytesMax: Int
  public let caller: Caller

  public init(
    service: String, method: String, shape: StreamingShape, requestBytesMax: Int, caller: Caller = .anyone
  ) {
    self.service = service
    self.method = method
    self.shape = shape
    self.requestBytesMax = requestBytesMax
    self.caller = caller
  }
}

/// A method with untyped messages and their descriptors, for tools that call any method.
public struct AnyRoute: Sendable {
  public let service: String
  public let method: String
  public let shape: StreamingShape
  public let caller: Caller
  public let request: Descriptor
  public let response: Descriptor

  public init<Request, Response>(_ route: Route<Request, Response>) {
    service = route.service
    method = route.method
    shape = route.shape
    caller = route.caller
    request = Request.descriptor
    response = Response.descriptor
  }
}
