// When a fact holds, and which of two facts counts where both do.
//
// Promises: the one place that knows the rule. Apply, decide and as-of reads all fold with it.

/// Half-open: `from` ≤ V < `to`, in microseconds since the epoch; `to` 0 = open.
struct Validity: Equatable {
  let from: Int64
  let to: Int64

  /// States an end: it is about this portion of time and nothing else.
  var isBounded: Bool { to != 0 }

  func holds(at time: Int64) -> Bool { from <= time && (to == 0 || time < to) }

  /// Whether this fact, recorded after `other`, takes its place where both hold: a correction of a portion of time
  /// always does; an open one does when it is not older by valid time.
  func replaces(_ other: Validity) -> Bool { isBounded || other.from <= from }
}

extension AttributeRecord {
  var validity: Validity { Validity(from: validFrom, to: validTo) }
}
