// A store in a temporary directory, its services in process, and a client of them.

import Foundation
import Logging
import TTRPC
import TwinClient
import TwinService
import TwinStore

/// One daemon's services without a socket. Removes its directory when it is released.
final class ServiceFixture: Sendable {
  let store: Store
  let twind: TwindClient
  private let router: Router
  private let workers = Workers(name: "worker")
  private let commits = Workers(name: "commit", count: 1)
  private let syncs: SyncRunner
  private let directory: String

  init(options: Store.Options = .small) throws {
    directory = try Self.makeDirectory()
    store = try Store(directory: directory, options: options)
    syncs = SyncRunner(store, logger: Logger(label: "tests")) { _ in }
    syncs.start()
    let twins = TwinService(
      store: store, agents: Agents(configured: [1234: "billing"]), workers: workers, commits: commits)
    let identity = AdminService.Identity(
      version: "1.2.3", socket: "/s", dataDirectory: "/d", isDev: true, startTime: 1, rpcLimits: Limits())
    var router = Router()
    twins.register(in: &router)
    AdminService(identity, twins: twins, backups: workers, statistics: { Server.Statistics() }, droppedLogLines: { 7 })
      .register(in: &router)
    self.router = router
    twind = TwindClient(.inProcess(router))
  }

  deinit {
    workers.stop()
    commits.stop()
    syncs.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// Another client of the same services.
  func client(uid: UInt32 = geteuid(), agent: String? = nil) -> TwindClient {
    var options = Client.Options()
    if let agent { options.metadata = [("twind-agent", agent)] }
    return TwindClient(.inProcess(router, peer: Peer(uid: uid, gid: 0), options: options))
  }

  private static func makeDirectory() throws -> String {
    var template = Array("/tmp/twind-service-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw RPCError(.internal, "mkdtemp failed: errno \(errno)") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Store.Options {
  /// With small segments.
  static var small: Store.Options {
    var options = Store.Options()
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
