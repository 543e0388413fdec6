// ListTwins: twins in name order, page by page. Names come from disk and memory on a worker, twins from the cache.

import CTwindProto
import TTRPC
import TwinCore
import TwinRoutes
import TwinStore

extension TwinService {
  func listTwins(
    _ request: UnsafePointer<Twind__V1__ListTwinsRequest>, _ call: borrowing UnaryCall
  ) throws(RPCError) {
    let query = try onWire { () throws(TwinError) in
      try ListQuery(request, permit(purpose: Text(request.pointee.purpose)))
    }
    let deferred = call.deferred()
    do {
      try workers.submit { [store] in
        guard !deferred.isEnded else { return }
        deferred.complete(query.page(of: store))
      }
    } catch {
      deferred.fail(error)
    }
  }
}

/// What a ListTwins call asks for.
private struct ListQuery: Sendable {
  private static let pageDefault = 100

  private let prefix: [UInt8]
  /// The last name of the page before; the token is just that, so it stays good across writes.
  private let after: [UInt8]
  private let limit: Int
  private let mask: AttributeMask
  private let permit: Permit
  private let namesOnly: Bool

  init(_ request: UnsafePointer<Twind__V1__ListTwinsRequest>, _ permit: Permit) throws(TwinError) {
    let prefix = Text(request.pointee.prefix)
    try checkPrefix(prefix.bytes)
    let token = Text(request.pointee.page_token)
    if !token.isEmpty { try Self.checkToken(token.bytes, prefix.bytes) }
    let size = Int(request.pointee.page_size)
    guard size >= 0, size <= TwinCore.Limits.listPageMax else {
      throw .invalid(
        "page_size is \(size): use 1 to \(TwinCore.Limits.listPageMax) (listPageMax), or 0 for \(Self.pageDefault)")
    }
    self.prefix = prefix.array
    after = token.array
    limit = size == 0 ? Self.pageDefault : size
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    self.permit = permit
    namesOnly = request.pointee.names_only != 0
  }

  private static func checkToken(
    _ token: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer
  ) throws(TwinError) {
    guard (try? TwinName(token)) != nil else {
      throw .invalid("\(quoted(token)) is no page_token: pass on the next_page_token of the page before")
    }
    guard token.starts(with: prefix) else {
      throw .invalid("the page_token \(quoted(token)) is of another prefix: use it with the prefix it came from")
    }
  }

  /// The encoded reply.
  func page(of store: Store) -> Result<[UInt8], RPCError> {
    do throws(StoreError) {
      let page = try store.names(prefix: prefix, after: after, limit: limit)
      return try reply(page, store)
    } catch {
      return .failure(RPCError(error))
    }
  }

  private func reply(_ page: NamePage, _ store: Store) throws(StoreError) -> Result<[UInt8], RPCError> {
    var twins: [UInt8] = []
    var redactions = RedactionEncoding(field: 4, namesTwin: true)
    let sequence = store.head
    var last = page.isLast ? [] : page.names.last ?? []
    for (index, name) in page.names.enumerated() {
      guard let image = try store.twin(name), !image.isDeleted else { continue }
      if append(image, to: &twins, &redactions) { continue }
      last = page.names[index - 1]
      break
    }
    return .success(finish(twins, last, sequence, redactions))
  }

  /// Adds a twin; false when there is no room for it.
  private func append(_ image: TwinImage, to twins: inout [UInt8], _ redactions: inout RedactionEncoding) -> Bool {
    // No attribute passes an empty permit: what is left is the name and the revision.
    let twin = TwinEncoding(image, mask, namesOnly ? Permit(mask: 0) : permit)
    let start = twins.count
    let count = twin.fieldByteCount
    guard start == 0 || start + count <= ServiceLimits.replyBytesMax else { return false }
    if !namesOnly { redactions.add(image, mask, permit) }
    twins.append(contentsOf: repeatElement(0, count: count))
    twins.withUnsafeMutableBytes { _ = twin.writeField(1, to: $0.baseAddress! + start) }
    return true
  }

  private func finish(
    _ twins: [UInt8], _ token: [UInt8], _ sequence: UInt64, _ redactions: RedactionEncoding
  ) -> [UInt8] {
    let tokenCount = token.isEmpty ? 0 : WireWriter.fieldByteCount(token.count)
    let tail = tokenCount + 1 + WireWriter.varintByteCount(sequence) + redactions.bytes.count
    var reply = twins
    reply.append(contentsOf: repeatElement(0, count: tail))
    reply.withUnsafeMutableBytes { all in
      var place = all.baseAddress! + twins.count
      if !token.isEmpty { place = token.withUnsafeBytes { WireWriter.writeField(2, $0, to: place) } }
      place = WireWriter.writeVarintField(3, sequence, to: place)
      _ = redactions.write(to: place)
    }
    return reply
  }
}
