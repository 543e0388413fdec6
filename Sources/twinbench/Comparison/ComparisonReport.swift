// Ratios for people, programs and pages.

import TwinText

struct ComparisonReport {
  let stages: [Stage]
  let twindVersion: String
  let settings: [(String, String)]

  private var contests: [Contest] { stages.flatMap(\.contests) }
  /// Each once, though several stages may have missed it.
  private var missing: [Missing] {
    stages.flatMap(\.missing).reduce(into: []) { known, one in
      if !known.contains(where: { $0.peer == one.peer && $0.why == one.why }) { known.append(one) }
    }
  }

  /// `name ratio` lines, nothing else.
  var plain: String {
    contests.map { "\($0.name) \(FixedText.format($0.ratio, places: 3))\n" }.joined()
  }

  var run: RunReport {
    var tables = [
      RunReport.Rows(
        title: "Ratios", header: ["COMPARISON", "RATIO", "MIN", "MAX", "BUDGET", "TWIND", "PEER", ""], words: [0, 7],
        rows: contests.map(Self.row))
    ]
    for stage in stages where !stage.contestants.isEmpty { tables.append(Self.table(stage)) }
    if !missing.isEmpty {
      tables.append(
        .init(title: "Missing", header: ["PEER", "WHY"], words: [0, 1], rows: missing.map { [$0.peer, $0.why] }))
    }
    return RunReport(
      title: "twind and its peers", story: Self.story,
      context: RunReport.context(twind: twindVersion) + [
        ("redis", RedisPeer.version), ("sqlite", SQLiteLane.version),
      ], settings: settings, tables: tables, charts: [RatioChart(contests).svg])
  }

  private static let story = [
    """
    Each peer was started on a Unix socket of its own and asked for the same bytes over one connection by the same small \
    C client, which does not decode replies. They took turns: A B C, C B A, so that what the machine did to one it did to \
    all.
    """,
    """
    A ratio is twind's figure divided by its peer's, in the same round: the median of all rounds, with the smallest and \
    the largest. For latency, below 1 means that twind is faster; for counts (“pipelined”, “group-commit”), above 1 \
    means that twind does more.
    """,
  ]

  private static func row(_ contest: Contest) -> [String] {
    func figure(_ contestant: Contestant) -> String {
      contestant.median(contest.metric).map { contest.metric.text($0) } ?? ""
    }
    return [
      contest.name, FixedText.format(contest.ratio, places: 2),
      FixedText.format(contest.ratios.min() ?? .nan, places: 2),
      FixedText.format(contest.ratios.max() ?? .nan, places: 2),
      contest.budget.map { contest.metric.text(budget: $0) } ?? "",
      figure(contest.ours), figure(contest.theirs), contest.isMet.map { $0 ? "met" : "not met" } ?? "",
    ]
  }

  /// The figures that any contestant of the stage has.
  private static func table(_ stage: Stage) -> RunReport.Rows {
    let metrics = Metric.allCases.filter { metric in stage.contestants.contains { $0.median(metric) != nil } }
    return RunReport.Rows(
      title: stage.title, header: ["CONTESTANT"] + metrics.map(\.title) + ["SETTINGS"], words: [0, metrics.count + 1],
      rows: stage.contestants.map { one in
        [one.name] + metrics.map { metric in one.median(metric).map { metric.text($0) } ?? "" } + [one.settings]
      })
  }
}
