// A run as one JSON object for programs.

import TwinText

extension RunReport {
  /// Context and settings, then the only series inline or all under `series`, then the tables by title.
  var json: String {
    var object = JSONObject()
    for (name, value) in context { object.add(Self.member(name), value) }
    for (name, value) in settings {
      let name = Self.member(name)
      if let number = Int(value) { object.add(name, number) } else { object.add(name, value) }
    }
    if series.count == 1 {
      Self.add(series[0], to: &object)
    } else if !series.isEmpty {
      object.add(
        "series",
        json: JSONObject.array(
          series.map { one in
            var member = JSONObject()
            Self.add(one, to: &member)
            return member.text
          }))
    }
    for part in tables {
      object.add(Self.member(part.title), json: JSONObject.array(part.rows.map { Self.row($0, part) }))
    }
    return object.text
  }

  private static func add(_ series: Series, to object: inout JSONObject) {
    let measurement = series.measurement
    let latencies = measurement.latencies
    object.add("call", series.name)
    object.add("calls", latencies.totalCount)
    object.add("seconds", measurement.seconds)
    object.add("calls_per_second", measurement.callsPerSecond)
    object.add("unsent", measurement.unsentCount)
    for (name, percentile) in Latencies.percentiles {
      object.add(name.replacing(".", with: "_") + "_nanos", latencies.nanos(at: percentile))
    }
    object.add("max_nanos", latencies.max)
    object.add("intervals", json: JSONObject.array(measurement.intervals.map(interval)))
  }

  private static func interval(_ interval: Interval) -> String {
    var object = JSONObject()
    object.add("start", interval.start)
    object.add("seconds", interval.seconds)
    object.add("calls", interval.latencies.count)
    object.add("p50_nanos", interval.latencies.p50)
    object.add("p99_nanos", interval.latencies.p99)
    object.add("p99_9_nanos", interval.latencies.p999)
    object.add("max_nanos", interval.latencies.max)
    return object.text
  }

  private static func row(_ cells: [String], _ part: Rows) -> String {
    var object = JSONObject()
    for (name, cell) in zip(part.header, cells) { object.add(member(name), cell) }
    return object.text
  }

  private static func member(_ name: String) -> String {
    name.lowercased().replacing(" ", with: "_").replacing(".", with: "_")
  }
}
