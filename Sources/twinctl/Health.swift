// twinctl health

import ArgumentParser
import Glibc
import TTRPC
import TwinClient
import TwinText

struct Health: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check whether the daemon serves: exit code 0, or else 6.",
    discussion: """
      Prints SERVING, or DEGRADED if the daemon serves in spite of a problem such as
      a full disk or a wrong clock: exit code 0. Prints NOT_SERVING if it does not
      serve or cannot write any more. Its own user and root also see the reason.

      EXAMPLES
        twinctl health
        twinctl health --wait --timeout 30s && ./start-agents
        twinctl health --service twind.v1.TwinService --json
      """)

  private static let pauseMicros: UInt32 = 50_000

  @Flag(help: "Wait until it serves, for at most --timeout.") var wait = false
  @Option(help: "Check one service (default: the whole daemon).") var service: String?
  @OptionGroup var common: CommonArguments

  func run() throws {
    let client = common.client()
    let deadline = ContinuousClock.now + common.timeoutOrDefault
    while true {
      let result = Result { () throws(RPCError) in try client.health(service ?? "") }
      let isServing = (try? result.get()) == .serving
      if !isServing && wait && isWorthWaiting(result) && ContinuousClock.now < deadline {
        usleep(Self.pauseMicros)
        continue
      }
      let status = try result.get()
      try show(status, why: Self.trouble(client, isServing: status == .serving))
      if status != .serving { throw ExitStatus.unavailable }
      return
    }
  }

  private func isWorthWaiting(_ result: Result<HealthService.Status, RPCError>) -> Bool {
    guard case .failure(let error) = result else { return true }
    return error.code == .unavailable || error.code == .deadlineExceeded
  }

  private func show(_ status: HealthService.Status, why: String?) throws(Failure) {
    let name = status == .serving && why != nil ? "DEGRADED" : Self.name(status)
    guard common.json else {
      return try Terminal.print(name + (why.map { ": \(Self.lines($0))" } ?? ""))
    }
    var object = JSONObject()
    object.add("status", name)
    if let why { object.add("reason", why) }
    try Terminal.print(object.text)
  }

  /// Why writes are refused, or other problems; nil if there are none, or if this user may not see them.
  private static func trouble(_ client: TwindClient, isServing: Bool) -> String? {
    guard let stats = try? client.stats() else { return nil }
    let trouble = isServing ? stats.warning : stats.failure
    return trouble.isEmpty ? nil : trouble
  }

  private static func lines(_ troubles: String) -> String {
    troubles.split(separator: "\n").map { DisplayText.line(String($0)) }.joined(separator: "\n")
  }

  private static func name(_ status: HealthService.Status) -> String {
    switch status {
    case .unknown: "UNKNOWN"
    case .serving: "SERVING"
    case .notServing: "NOT_SERVING"
    case .serviceUnknown: "SERVICE_UNKNOWN"
    }
  }
}
