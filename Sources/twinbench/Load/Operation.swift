// What is asked of a twin.

/// One kind of call.
enum Operation: String, CaseIterable {
  /// GetTwin, whole.
  case read
  /// UpdateTwin: one attribute gets a new value.
  case update
  /// BatchGetTwins of 16 twins that follow each other.
  case batch
  /// WatchTwins of one twin until its snapshot has come.
  case watch

  static let batchTwins = 16
}

/// An operation on a twin, by the twin's number.
struct Call {
  var operation: Operation
  var key: Int
}
