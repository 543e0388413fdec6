// ListTwins: twins sorted by name, page by page. A worker collects names from disk and memory; twins come from the
// cache.

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
      try ListQuery(request, call.view(for: Text(request.pointee.purpose)))
    }
    let work = ListWork(query, store, lanes.long, call.deferred())
    work.begin()
  }
}

/// Makes a page in slices; other jobs can run in between. Used by one thread at a time.
private final class ListWork: @unchecked Sendable {
  /// How many twins are read before other jobs run.
  private static let sliceTwins = 32

  private let query: ListQuery
  private let store: Store
  private let workers: Workers
  private let call: ServerCall
  private var page: ListPage?
  /// `Store.restrictions` when the page was begun.
  private var restrictions: UInt64 = 0

  init(_ query: ListQuery, _ store: Store, _ workers: Workers, _ call: ServerCall) {
    self.query = query
    self.store = store
    self.workers = workers
    self.call = call
  }

  func begin() {
    do throws(RPCError) {
      try workers.submit(for: call) { [self] in run() }
    } catch {
      call.fail(error)
    }
  }

  private func run() {
    guard !call.isEnded else { return }
    do throws(RPCError) {
      if page == nil {
        guard call.hasRoom else { return waitForReader() }
        try call.reserve(ServiceLimits.replyBytesMax)
      }
      if let reply = try onDisk({ () throws(StoreError) in try step() }) { return answer(reply) }
      try workers.resubmit(for: call) { [self] in run() }
    } catch {
      call.complete(.failure(error))
    }
  }

  private func step() throws(StoreError) -> [UInt8]? {
    if page == nil {
      restrictions = store.restrictions
      page = try query.begin(store)
    }
    return try page!.advance(store, query, twins: Self.sliceTwins)
  }

  /// Sends the page, unless rules have come into force since it was begun: then it is made again.
  private func answer(_ reply: [UInt8]) {
    call.onThread { [self] call in
      if restrictions == store.restrictions {
        return call.reply(byteCount: reply.count) { place in
          reply.withUnsafeBytes { place.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
      }
      page = nil
      call.giveBack(ServiceLimits.replyBytesMax)
      begin()
    }
  }

  /// If too many replies are unread, makes this one when they have been read.
  private func waitForReader() {
    call.onThread { [self] call in
      call.onWritable = { [self] call in
        call.onWritable = nil
        begin()
      }
      if call.isWritable { call.onWritable?(call) }
    }
  }
}

/// The arguments of a ListTwins call.
private struct ListQuery: Sendable {
  private static let pageDefault = 100

  private let prefix: [UInt8]
  /// The last name of the previous page. It is the page token, so a token stays valid across writes.
  private let after: [UInt8]
  private let limit: Int
  private let mask: AttributeMask
  private let view: View
  private let namesOnly: Bool
  private let withScheduled: Bool

  init(_ request: UnsafePointer<Twind__V1__ListTwinsRequest>, _ view: View) throws(TwinError) {
    let prefix = Text(request.pointee.prefix)
    try checkPrefix(prefix.bytes)
    let token = Text(request.pointee.page_token)
    if !token.isEmpty { try Self.checkToken(token.bytes, prefix.bytes) }
    let size = Int(request.pointee.page_size)
    guard size >= 0, size <= TwinCore.Limits.listPageMax else {
      throw TwinError(
        .invalidArgument,
        "page_size is \(size): use 1 to \(TwinCore.Limits.listPageMax) (listPageMax), or 0 for \(Self.pageDefault)",
        detail: .limit("listPageMax", maximum: TwinCore.Limits.listPageMax, actual: size))
    }
    self.prefix = prefix.array
    after = token.array
    limit = size == 0 ? Self.pageDefault : size
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    self.view = view
    namesOnly = request.pointee.names_only != 0
    withScheduled = request.pointee.with_scheduled != 0
  }

  private static func checkToken(
    _ token: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer
  ) throws(TwinError) {
    guard (try? TwinName(token)) != nil else {
      throw .invalid("\(quoted(token)) is not a valid page_token: use the next_page_token of the previous page")
    }
    guard token.starts(with: prefix) else {
      throw .invalid("the page_token \(quoted(token)) belongs to another prefix: use it with the prefix it came from")
    }
  }

  func begin(_ store: Store) throws(StoreError) -> ListPage {
    ListPage(try store.names(prefix: prefix, after: after, limit: limit), store.head)
  }

  /// A twin in a page: its size, and the closure that writes it.
  func encoding(_ twin: SeenTwin) -> (byteCount: Int, write: (UnsafeMutableRawPointer) -> Void) {
    let (image, sight) = (twin.image, namesOnly ? .none : twin.sight)
    if withScheduled {
      let twin = ScheduledTwinEncoding(image, mask, sight)
      return (twin.fieldByteCount, { twin.writeField(1, to: $0) })
    }
    let twin = TwinEncoding(image, mask, sight)
    return (twin.fieldByteCount, { _ = twin.writeField(1, to: $0) })
  }

  func addRedactions(_ twin: SeenTwin, to redactions: inout CollectedRedactions) {
    if !namesOnly { redactions.add(twin.image, mask, twin.sight, withScheduled: withScheduled) }
  }

  func twin(_ name: [UInt8], _ store: Store) throws(StoreError) -> SeenTwin? { try store.twin(name, in: view) }
}

/// A page in progress.
private struct ListPage {
  private let names: [[UInt8]]
  private let sequence: UInt64
  /// The last name of the page, where the next one continues. Empty: this is the last page.
  private var last: [UInt8]
  private var next = 0
  private var twins: [UInt8] = []
  private var redactions = CollectedRedactions(field: 4)

  init(_ page: NamePage, _ sequence: UInt64) {
    names = page.names
    self.sequence = sequence
    last = page.isLast ? [] : page.names.last ?? []
  }

  /// Adds up to this many twins. Returns the encoded reply when there are no more, or no more room.
  mutating func advance(_ store: Store, _ query: ListQuery, twins count: Int) throws(StoreError) -> [UInt8]? {
    let end = min(names.count, next + count)
    while next < end {
      if let twin = try query.twin(names[next], store), !twin.image.isDeleted, !append(twin, query) {
        last = names[next - 1]
        return finish()
      }
      next += 1
    }
    return next == names.count ? finish() : nil
  }

  /// Adds a twin; false if there is no room for it.
  private mutating func append(_ twin: SeenTwin, _ query: ListQuery) -> Bool {
    let (count, write) = query.encoding(twin)
    let start = twins.count
    guard start == 0 || start + count <= ServiceLimits.replyBytesMax else { return false }
    query.addRedactions(twin, to: &redactions)
    twins.append(contentsOf: repeatElement(0, count: count))
    twins.withUnsafeMutableBytes { write($0.baseAddress! + start) }
    return true
  }

  private func finish() -> [UInt8] {
    let tokenCount = last.isEmpty ? 0 : WireWriter.fieldByteCount(last.count)
    let tail = tokenCount + 1 + WireWriter.varintByteCount(sequence) + redactions.bytes.count
    var reply = twins
    reply.append(contentsOf: repeatElement(0, count: tail))
    reply.withUnsafeMutableBytes { all in
      var place = all.baseAddress! + twins.count
      if !last.isEmpty { place = last.withUnsafeBytes { WireWriter.writeField(2, $0, to: place) } }
      place = WireWriter.writeVarintField(3, sequence, to: place)
      _ = redactions.write(to: place)
    }
    return reply
  }
}
