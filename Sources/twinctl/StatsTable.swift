// Formats statistics for people: problems first, then groups, with bars for what can fill up.

import TwinClient
import TwinText

struct StatsTable {
  private typealias Row = (name: String, value: String)

  private let stats: ServerStats
  private let callsPerSecond: Double?

  init(_ stats: ServerStats, callsPerSecond: Double?) {
    self.stats = stats
    self.callsPerSecond = callsPerSecond
  }

  var text: String {
    let groups = [
      ("DAEMON", daemon), ("TWINS", twins), ("MEMORY", memory), ("JOURNAL", journal), ("CHECKPOINT", checkpoint),
      ("RECOVERY", recovery),
    ]
    let nameWidth = groups.flatMap(\.1).map { $0.name.count }.max() ?? 0
    return troubles
      + groups.map { title, rows in
        Terminal.dim(title) + "\n"
          + rows.map { row in
            "  \(row.name)" + String(repeating: " ", count: nameWidth - row.name.count + 2) + "\(row.value)\n"
          }.joined()
      }.joined()
  }

  private var troubles: String {
    var text = ""
    if !stats.failure.isEmpty { text += "writes are refused: \(DisplayText.line(stats.failure))\n" }
    for trouble in stats.warning.split(separator: "\n") { text += "\(DisplayText.line(String(trouble)))\n" }
    return text.isEmpty ? "" : Terminal.red(text)
  }

  private var daemon: [Row] {
    var rows = [
      duration("up for", "uptime_micros"), bytes("resident memory", "resident_bytes"),
      count("connections", "connection_count"), count("calls being served", "stream_count"),
      count("watches", "watch_count"), count("calls started", "call_count"),
      count("log lines dropped", "log_dropped_count"),
    ]
    if let callsPerSecond { rows.append(("calls per second", FixedText.format(callsPerSecond, places: 0))) }
    return rows
  }

  private var twins: [Row] {
    [
      count("twins", "twin_count"), count("facts in the database", "fact_count"), count("sequence", "sequence"),
      count("synced up to", "synced_sequence"),
    ]
  }

  private var memory: [Row] {
    [
      share("bytes of twins", "twin_bytes", of: "memory_bytes_max"),
      share("bytes of calls in progress", "buffer_bytes", of: "buffer_bytes_max"),
      count("twins in memory", "resident_twin_count"), count("not yet in the database", "dirty_twin_count"),
      count("evicted", "eviction_count"), count("read back", "cold_read_count"), bytes("feed", "feed_bytes"),
      count("oldest sequence in the feed", "feed_oldest_sequence"),
    ]
  }

  private var journal: [Row] {
    [
      bytes("size", "journal_bytes"), count("segments", "journal_segment_count"), count("syncs", "journal_sync_count"),
    ]
  }

  private var checkpoint: [Row] {
    let (done, total) = (stats["checkpoint_rows_done"], stats["checkpoint_rows_total"])
    var rows: [Row] = []
    if total > 0 {
      let counts = "\(FixedText.grouped(done)) of \(FixedText.grouped(total)) rows"
      rows.append(("running", "\(FixedText.bar(Double(done) / Double(total)))  \(counts)"))
    }
    rows.append(count("completed", "checkpoint_count"))
    let ended = stats["checkpoint_time"]
    if ended == 0 { return rows + [("last", "never")] }
    return rows + [
      ("last", TimestampText.local(Int64(clamping: ended))), count("up to sequence", "checkpoint_sequence"),
      count("rows written", "checkpoint_twin_count"), duration("took", "checkpoint_duration_micros"),
    ]
  }

  private var recovery: [Row] {
    [
      count("commits replayed", "recovery_commit_count"), bytes("cut from the journal", "recovery_bytes_cut"),
      duration("took", "recovery_duration_micros"),
    ]
  }

  private func share(_ name: String, _ field: String, of bound: String) -> Row {
    let (used, most) = (stats[field], stats[bound])
    let bar = most == 0 ? "" : "  \(FixedText.bar(Double(used) / Double(most))) of \(FixedText.bytes(most))"
    return (name, FixedText.bytes(used) + bar)
  }
  private func count(_ name: String, _ field: String) -> Row { (name, FixedText.grouped(stats[field])) }
  private func bytes(_ name: String, _ field: String) -> Row { (name, FixedText.bytes(stats[field])) }
  private func duration(_ name: String, _ field: String) -> Row {
    (name, DurationText.format(micros: Int64(clamping: stats[field])))
  }
}
