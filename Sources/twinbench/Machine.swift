// The machine that figures are of.

import Foundation

enum Machine {
  /// Processor, cores, kernel.
  static var description: String {
    var names = utsname()
    uname(&names)
    let kernel = withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return "\(processor), \(ProcessInfo.processInfo.activeProcessorCount) cores, Linux \(kernel)"
  }

  /// Figures of a debug build say little.
  static var build: String {
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
