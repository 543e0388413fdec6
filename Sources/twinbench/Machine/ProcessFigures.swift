// What a process holds, from /proc.

import Foundation

struct ProcessFigures {
  let residentBytes: UInt64
  let openFiles: Int
  /// Since it began.
  let cpuSeconds: Double

  /// nil when there is no such process, or it is somebody else's.
  init?(pid: Int32) {
    guard let memory = try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8),
      let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
    else { return nil }
    let pages = memory.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0
    residentBytes = pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    openFiles = files.count
    // Behind the name, which may hold anything: state is the first field, user and system time the 12th and 13th.
    let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ").dropFirst().map {
      Double($0)
    }
    cpuSeconds = fields.count > 12 ? ((fields[11] ?? 0) + (fields[12] ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK))) : 0
  }
}
