// What a daemon that crashes leaves in its log.

import CLinux

package enum CrashReport {
  /// From here on a crash prints where it happened, and nothing of what callers have stored.
  package static func begin() { twind_report_crashes("twind \(Daemon.version)") }
}
