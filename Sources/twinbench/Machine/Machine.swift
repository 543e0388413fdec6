// The machine that figures are of.

import Foundation

enum Machine {
  /// What every run prints: processor, cores, kernel, compiler.
  static var context: [(String, String)] {
    [
      ("machine", "\(processor), \(cores.count) cores, Linux \(kernel)"),
      ("load before", loadBefore),
      ("twinbench", "\(Twinbench.configuration.version), Swift \(swift)\(build)"),
    ]
  }

  /// How many threads wanted to run in the last minute, beside this program; figures of a busy machine are rough.
  static let loadBefore: String = {
    var load = 0.0
    return getloadavg(&load, 1) == 1 ? String(format: "%.2f threads", load) : "unknown"
  }()

  /// Those that this process may run on.
  static var cores: [Int] {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") } ?? ""
    let ranges = line.split(separator: "\t").last?.split(separator: ",") ?? []
    let cores = ranges.flatMap { range in
      let ends = range.split(separator: "-").compactMap { Int($0) }
      return ends.isEmpty ? [] : Array(ends[0]...ends[ends.count - 1])
    }
    return cores.isEmpty ? [0] : cores
  }

  private static var kernel: String {
    var names = utsname()
    uname(&names)
    return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static var swift: String {
    #if compiler(>=6.4)
      "6.4 or later"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }

  /// Figures of a debug build say little.
  private static var build: String {
    #if DEBUG
      " (debug build: its figures say little)"
    #else
      ""
    #endif
  }

  private static var processor: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? "unknown processor"
  }
}
