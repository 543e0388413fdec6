// GetTwin with `valid_at` and `known_at`: what was true at one time, as it was known at another. Access is decided as
// of now. A worker reads the history page by page, and lets other jobs run in between.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

/// The arguments of such a call.
struct AsOfQuery: Sendable {
  let name: [UInt8]
  let mask: AttributeMask
  let view: View
  /// Microseconds since the epoch.
  let validAt: Int64
  let knownAt: Int64

  init(_ request: UnsafePointer<Twind__V1__GetTwinRequest>, _ view: View, _ store: Store) throws(TwinError) {
    name = try TwinName(Text(request.pointee.name)).array
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    self.view = view
    let now = store.present()
    let (validAt, knownAt) = (request.pointee.valid_at, request.pointee.known_at)
    if knownAt > now {
      throw .invalid("known_at \(instant(knownAt)) is in the future: use a time up to now, \(instant(now))")
    }
    self.validAt = validAt == 0 ? now : validAt
    self.knownAt = knownAt == 0 ? now : knownAt
  }

  fileprivate func answer(_ call: ServerCall, _ twin: SeenTwin, _ sequence: UInt64) {
    // A revision says nothing about other times than the one that it was read for.
    TwinReply(twin.image, mask, twin.sight, sequence, 0).send(on: call)
  }
}

extension TwinService {
  func getTwin(_ query: AsOfQuery, _ call: ServerCall) throws(RPCError) {
    try AsOfAnswer(query, call, self).submit()
  }
}

/// Such a call in progress. Used by one worker at a time, which passes it on to the next.
private final class AsOfAnswer: @unchecked Sendable {
  private let query: AsOfQuery
  private let call: ServerCall
  private let store: Store
  private let workers: Workers
  private var read: AsOfRead

  init(_ query: AsOfQuery, _ call: ServerCall, _ service: TwinService) {
    self.query = query
    self.call = call
    store = service.store
    workers = service.lanes.long
    read = query.name.withUnsafeBytes { name in
      AsOfRead(TwinName(unchecked: name), validAt: query.validAt, knownAt: query.knownAt, mask: query.mask)
    }
  }

  func submit() throws(RPCError) { try workers.submit(for: call) { self.step() } }

  private func step() {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      switch try onDisk({ () throws(StoreError) in try read.step(store) }) {
      case nil: try workers.resubmit(for: call) { self.step() }
      case .absent: throw RPCError(TwinError.noTwin(query.name))
      case .refused(let error): throw RPCError(error)
      case .image(let image, let sequence): try answer(image, sequence)
      }
    } catch {
      call.complete(.failure(error))
    }
  }

  /// Access is decided last. If rules come into force meanwhile, it is decided again.
  private func answer(_ image: TwinImage, _ sequence: UInt64) throws(RPCError) {
    let restrictions = store.restrictions
    let sight = try onDisk { () throws(StoreError) in try store.historySight(query.name, in: query.view) }
    let twin = sight.seen(image)
    call.onThread { [self] call in
      if restrictions == store.restrictions { return query.answer(call, twin, sequence) }
      do throws(RPCError) {
        try workers.submit(for: call) { [self] in
          do throws(RPCError) {
            try answer(image, sequence)
          } catch {
            call.complete(.failure(error))
          }
        }
      } catch {
        call.fail(error)
      }
    }
  }
}

/// Runs code that reads the disk and converts its errors.
func onDisk<Result>(_ body: () throws(StoreError) -> Result) throws(RPCError) -> Result {
  do throws(StoreError) {
    return try body()
  } catch {
    throw RPCError(error)
  }
}
