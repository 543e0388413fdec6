// The effective settings. Options override TWIND_* variables, which override the file, which overrides the defaults.

import Configuration
import Foundation
import Logging
import SystemPackage
import TwinService
import TwinStore
import TwinText

/// The settings of `serve`.
struct Settings {
  var daemon: DaemonOptions
  var logLevel: Logger.Level

  /// The names of all settings: as options, as keys of the file, and in upper case after TWIND_ as variables.
  static let keys = [
    "socket", "data-dir", "dev", "durability", "memory-limit", "buffer-limit", "checkpoint-interval",
    "exit-on-io-error", "allow-shared-data-dir", "socket-mode", "socket-group", "connections-max", "reactors",
    "busy-poll", "agents", "retain",
    "log-level",
  ]
  /// Variables of twind that are not settings.
  private static let otherVariables: Set<String> = ["TWIND_CONFIG"]

  var logger: Logger {
    let level = logLevel
    return Logger(label: "twind") { _ in StandardErrorLog(level: level) }
  }

  /// - Parameters:
  ///   - flags: the settings on the command line, by key.
  ///   - file: the configuration file; nil: $TWIND_CONFIG, if set.
  static func resolve(flags: [String: String], file: String?) async throws -> Settings {
    let environment = ProcessInfo.processInfo.environment
    for name in unknownVariables(environment) {
      complain("Warning: ignoring the variable \(name), since twind has no such setting: see twind serve --help\n")
    }
    let path = file ?? environment["TWIND_CONFIG"]
    let fileKeys = try path.map(checkFile) ?? []
    // Options are texts too: they are read as variables are, and come first.
    let options = Dictionary(uniqueKeysWithValues: flags.map { (variable($0.key), $0.value) })
    var providers: [any ConfigProvider] = [
      EnvironmentVariablesProvider(environmentVariables: options).prefixKeys(with: "twind"),
      EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "twind"),
    ]
    if let path { providers.append(try await FileProvider<JSONSnapshot>(filePath: FilePath(path))) }
    let isSet = Set(flags.keys).union(fileKeys).union(keys.filter { environment[variable($0)] != nil })
    return try Settings(SettingsReader(reader: ConfigReader(providers: providers), isSet: isSet), environment)
  }

  private init(_ values: SettingsReader, _ environment: [String: String]) throws {
    let runtime = environment["XDG_RUNTIME_DIR"].flatMap { $0.isEmpty ? nil : $0 + "/twind.sock" }
    daemon = DaemonOptions(
      socket: try values.string("socket") ?? runtime ?? "./twind.sock",
      dataDirectory: try values.string("data-dir") ?? "./twind-data")
    daemon.isDev = try values.bool("dev") ?? false
    if let text = try values.string("checkpoint-interval") {
      daemon.checkpointInterval = try values.parsed(
        "checkpoint-interval", text, "write a duration such as 250ms, 30s or 5m", DurationText.parse(text))
    }
    if let text = try values.string("durability") {
      daemon.store.durability = try values.parsed(
        "durability", text, "use memory, journaled or synced", DurabilityText.parse(text))
    }
    if let text = try values.string("memory-limit") {
      daemon.store.memoryBytesMax = try values.bytes("memory-limit", text, atLeast: Store.Options.memoryBytesMin)
    }
    if let text = try values.string("buffer-limit") {
      daemon.bufferBytesMax = try values.bytes("buffer-limit", text, atLeast: DaemonOptions.bufferBytesMin)
    }
    daemon.exitsOnIOError = try values.bool("exit-on-io-error") ?? false
    daemon.store.allowsSharedDirectory = try values.bool("allow-shared-data-dir") ?? false
    if let text = try values.string("socket-mode") {
      daemon.socketMode = try values.parsed(
        "socket-mode", text, "write octal permissions such as 600 or 660", SocketAccess.mode(text))
    }
    if let text = try values.string("socket-group") {
      daemon.socketGroup = try values.parsed(
        "socket-group", text, "there is no such group: write a group's name or number", SocketAccess.group(text))
    }
    daemon.connectionsMax = try values.int("connections-max", 1...16_384)
    daemon.reactors = try values.int("reactors", 1...64) ?? daemon.reactors
    if let text = try values.string("busy-poll") {
      daemon.busyPoll = try values.parsed(
        "busy-poll", text, "write 0, or a duration up to 1s such as 50us", Self.busyPoll(text))
    }
    if let text = try values.string("agents") {
      daemon.agents = try values.parsed(
        "agents", text, "write user ids and agent names, each user once: 1001=billing,1002=sales",
        AgentsText.parse(text))
    }
    if let text = try values.string("retain") {
      do {
        daemon.store.retention = try RetentionText.parse(text)
      } catch {
        throw ValidationExit("retain is \"\(text)\": \(error)")
      }
    }
    let level = try values.string("log-level") ?? "info"
    let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    logLevel = try values.parsed("log-level", level, "use one of \(levels)", Logger.Level(rawValue: level))
  }

  private static func busyPoll(_ text: String) -> Duration? {
    if text == "0" { return .zero }
    return DurationText.parse(text).flatMap { $0 > DaemonOptions.busyPollMax ? nil : $0 }
  }

  /// The settings as a configuration file, for `--print-config`.
  var text: String {
    let agents = daemon.agents.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    let values: [(String, String)] = [
      ("socket", quote(daemon.socket)), ("data-dir", quote(daemon.dataDirectory)), ("dev", "\(daemon.isDev)"),
      ("durability", quote(DurabilityText.format(daemon.store.durability))),
      ("memory-limit", quote(ByteCountText.format(daemon.store.memoryBytesMax))),
      ("buffer-limit", quote(ByteCountText.format(daemon.bufferLimit))),
      ("exit-on-io-error", "\(daemon.exitsOnIOError)"),
      ("allow-shared-data-dir", "\(daemon.store.allowsSharedDirectory)"),
      ("checkpoint-interval", quote(DurationText.format(daemon.checkpointInterval))),
      ("socket-mode", quote(String(daemon.socketMode, radix: 8))),
      ("socket-group", quote(daemon.socketGroup.map { "\($0)" } ?? "")),
      ("connections-max", "\(daemon.connectionsMax ?? DaemonOptions.connectionsMaxDefault)"),
      ("reactors", "\(daemon.reactors)"),
      ("busy-poll", quote(daemon.busyPoll == .zero ? "0" : DurationText.format(daemon.busyPoll))),
      ("agents", quote(agents)),
      ("retain", quote(RetentionText.format(daemon.store.retention))),
      ("log-level", quote(logLevel.rawValue)),
    ]
    return "{\n" + values.map { "  \(quote($0.0)): \($0.1)" }.joined(separator: ",\n") + "\n}"
  }

  private func quote(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped)\""
  }

  private static func variable(_ key: String) -> String { "TWIND_" + key.uppercased().replacing("-", with: "_") }

  /// Variables that look like settings but are not. (Kubernetes sets some for each service, such as TWIND_SERVICE_HOST
  /// and TWIND_PORT for a service called twind; these are ignored.)
  private static func unknownVariables(_ environment: [String: String]) -> [String] {
    let known = Set(keys.map(variable)).union(otherVariables)
    return environment.keys.sorted().filter { name in
      name.hasPrefix("TWIND_") && !known.contains(name) && !name.contains("_SERVICE_") && !name.contains("_PORT")
    }
  }

  private static func complain(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

  /// The file's keys.
  private static func checkFile(_ path: String) throws -> Set<String> {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationExit("cannot read the configuration file \(path): check the path and its permissions")
    }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw ValidationExit("the configuration file \(path) is not a JSON object: see twind serve --help")
    }
    for key in object.keys.sorted() where !keys.contains(key) {
      throw ValidationExit("unknown key \"\(key)\" in \(path): the keys are \(keys.joined(separator: ", "))")
    }
    return Set(object.keys)
  }
}
