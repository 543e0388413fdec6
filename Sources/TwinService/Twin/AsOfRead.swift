// GetTwin on the two axes of history: what was true at `valid_at`, as known at `known_at`. What may be seen is judged as
// of now.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// What such a call asks for.
struct AsOfQuery: Sendable {
  let name: [UInt8]
  let mask: AttributeMask
  let permit: Permit
  /// Microseconds since the epoch.
  let validAt: Int64
  let knownAt: Int64
  let knownRevision: UInt64

  init(_ request: UnsafePointer<Twind__V1__GetTwinRequest>, _ service: TwinService) throws(TwinError) {
    name = try TwinName(Text(request.pointee.name)).array
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    permit = try service.permit(purpose: Text(request.pointee.purpose))
    knownRevision = request.pointee.if_newer_than_revision
    let now = service.store.present()
    let (validAt, knownAt) = (request.pointee.valid_at, request.pointee.known_at)
    if knownAt > now {
      throw .invalid("known_at \(knownAt) is in the future: it is \(now), and nobody knows yet what will be recorded")
    }
    self.validAt = validAt == 0 ? now : validAt
    self.knownAt = knownAt == 0 ? now : knownAt
  }

  func answer(_ call: ServerCall, _ image: TwinImage, _ sequence: UInt64) {
    TwinReply(image, mask, permit, sequence, knownRevision).send(on: call)
  }
}

extension TwinService {
  func getTwin(_ query: AsOfQuery, _ call: ServerCall) throws(RPCError) {
    try lanes.long.submit(for: call) { [store] in
      guard !call.isEnded else { return }
      do throws(RPCError) {
        let (image, sequence) = try query.read(store)
        call.onThread { query.answer($0, image, sequence) }
      } catch {
        call.complete(.failure(error))
      }
    }
  }
}

extension AsOfQuery {
  /// On a thread that may block.
  fileprivate func read(_ store: Store) throws(RPCError) -> (TwinImage, sequence: UInt64) {
    try name.withUnsafeBufferPointer { (bytes) throws(RPCError) in
      let name = TwinName(unchecked: UnsafeRawBufferPointer(bytes))
      guard let history = try onDisk({ () throws(StoreError) in try store.facts(of: name) }) else {
        throw RPCError(TwinError.noTwin(name))
      }
      try onWire { () throws(TwinError) in try history.check(name, validAt: validAt, knownAt: knownAt) }
      guard
        let image = try onDisk({ () throws(StoreError) in
          try store.image(name, history, validAt: validAt, knownAt: knownAt)
        })
      else {
        throw RPCError(
          TwinError(.notFound, "\(name) did not exist at valid_at \(validAt), as known at \(knownAt)"))
      }
      return (image, history.sequence)
    }
  }
}

/// Runs what reads the disk: its errors become the wire's.
func onDisk<Result>(_ body: () throws(StoreError) -> Result) throws(RPCError) -> Result {
  do throws(StoreError) {
    return try body()
  } catch {
    throw RPCError(error)
  }
}
