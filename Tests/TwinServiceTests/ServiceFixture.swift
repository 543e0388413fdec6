// A store in a temporary directory, its services in process, and a client of them, over one or more lives.

import Foundation
import Logging
import TTRPC
import TwinClient
import TwinService
import TwinStore

/// One daemon's services without a socket. Its directory goes away with the last life.
final class ServiceFixture: Sendable {
  let store: Store
  let twind: TwindClient
  let router: Router
  private let lanes = Lanes()
  private let syncs: SyncRunner
  private let folder: Folder
  /// For sockets.
  var path: String { folder.path }

  convenience init(options: Store.Options = .small, clock: any TwinStore.Clock = SystemClock()) throws {
    try self.init(Folder(), options, clock)
  }

  private init(_ folder: Folder, _ options: Store.Options, _ clock: any TwinStore.Clock) throws {
    self.folder = folder
    store = try Store(directory: folder.path, options: options, clock: clock)
    syncs = SyncRunner(store, logger: Logger(label: "tests")) { _ in }
    syncs.start()
    let twins = TwinService(store: store, agents: Agents(configured: [1234: "billing"]), lanes: lanes)
    let identity = AdminService.Identity(
      version: "1.2.3", socket: "/s", dataDirectory: "/d", isDev: true, startTime: 1, rpcLimits: Limits(),
      descriptorsMax: 1_024)
    var router = Router(operators: AdminService.authorize)
    twins.register(in: &router)
    AdminService(
      identity, twins: twins, statistics: { Server.Statistics() }, requestLimits: { [] }, droppedLogLines: { 7 }
    ).register(in: &router)
    self.router = router
    twind = TwindClient(.inProcess(router))
  }

  deinit {
    lanes.stop()
    syncs.stop()
  }

  /// The daemon that follows after this one has stopped as it should.
  func restarted(options: Store.Options = .small, clock: any TwinStore.Clock = SystemClock()) throws -> ServiceFixture {
    try store.close()
    return try ServiceFixture(folder, options, clock)
  }

  /// The daemon that would follow if this one ended here without a word.
  func crashed(options: Store.Options = .small, clock: any TwinStore.Clock = SystemClock()) throws -> ServiceFixture {
    try ServiceFixture(try folder.copy(), options, clock)
  }

  /// Another client of the same services.
  func client(uid: UInt32 = geteuid(), agent: String? = nil) -> TwindClient {
    TwindClient(rawClient(uid: uid, agent: agent))
  }

  /// A client for encoded messages.
  func rawClient(uid: UInt32 = geteuid(), agent: String? = nil) -> Client {
    var options = Client.Options()
    if let agent { options.metadata = [("twind-agent", agent)] }
    return .inProcess(router, peer: Peer(uid: uid, gid: 0), options: options)
  }
}

/// A directory that goes away with the object.
private final class Folder: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/twind-service-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RPCError(.internal, "mkdtemp failed: errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func copy() throws -> Folder {
    let copy = try Folder()
    try FileManager.default.removeItem(atPath: copy.path)
    try FileManager.default.copyItem(atPath: path, toPath: copy.path)
    return copy
  }
}

extension Store.Options {
  /// With small segments.
  static var small: Store.Options { small() }

  static func small(keysPerAgentMax: Int = 1_000_000) -> Store.Options {
    var options = Store.Options()
    options.keysPerAgentMax = keysPerAgentMax
    options.journal = JournalOptions(segmentBytes: 1 << 20, recordBytesMax: 256 << 10)
    return options
  }
}

/// The status code that a body fails with; nil when it succeeds.
func code(_ body: () throws -> Void) -> StatusCode? {
  do {
    try body()
    return nil
  } catch let error as RPCError {
    return error.code
  } catch {
    return .unknown
  }
}

/// The error that a body fails with.
func failure(_ body: () throws -> Void) -> RPCError? {
  do {
    try body()
    return nil
  } catch {
    return error as? RPCError
  }
}
