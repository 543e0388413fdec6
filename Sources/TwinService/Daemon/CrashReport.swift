// The report that a crashing daemon writes to its log.

import CLinux

package enum CrashReport {
  /// From now on a crash prints where it happened, without any stored data.
  package static func begin() { twind_report_crashes("twind \(Daemon.version)") }
}
