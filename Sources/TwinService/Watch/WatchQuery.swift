// The arguments of a WatchTwins call.

import CTwindProto
import TwinCore

/// Twins by name or by prefix, and where to begin.
struct WatchQuery: Sendable {
  enum Twins: Sendable {
    /// In byte order.
    case names([[UInt8]])
    case prefix([UInt8])
  }

  let twins: Twins
  /// The last sequence that the caller has seen; nil = begin with a snapshot.
  let fromSequence: UInt64?
  let coalesce: Bool
  let mask: AttributeMask
  /// Ends with a NUL.
  private let purpose: [CChar]

  init(_ request: UnsafePointer<Twind__V1__WatchTwinsRequest>) throws(TwinError) {
    twins = try Self.twins(request)
    let isStated = request.pointee.start_case == TWIND__V1__WATCH_TWINS_REQUEST__START_FROM_SEQUENCE
    fromSequence = isStated ? request.pointee.from_sequence : nil
    coalesce = request.pointee.coalesce != 0
    mask = try AttributeMask(request.pointee.attributes, count: request.pointee.n_attributes)
    let purpose = Text(request.pointee.purpose)
    try checkPurpose(purpose.bytes)
    self.purpose = Array(UnsafeBufferPointer(start: purpose.start, count: purpose.count + 1))
  }

  private static func twins(_ request: UnsafePointer<Twind__V1__WatchTwinsRequest>) throws(TwinError) -> Twins {
    let count = request.pointee.n_names
    let prefix = Text(request.pointee.prefix)
    guard count > 0 else {
      try checkPrefix(prefix.bytes)
      return .prefix(prefix.array)
    }
    guard prefix.isEmpty else { throw .invalid("names and prefix are both given: give only one") }
    guard count <= Limits.watchNamesMax else {
      throw .limit(
        .invalidArgument, "the watch", "watchNamesMax", maximum: Limits.watchNamesMax, actual: count, unit: "names")
    }
    var names: [TwinName] = []
    for index in 0..<count { names.append(try TwinName(Text(request.pointee.names[index]))) }
    names.sort()
    for (name, next) in zip(names, names.dropFirst()) where name == next {
      throw .invalid("\(name) appears twice in the watch")
    }
    return .names(names.map(\.array))
  }

  func withPurpose<R>(_ body: (Text) -> R) -> R {
    purpose.withUnsafeBufferPointer { body(Text(start: $0.baseAddress!, count: $0.count - 1)) }
  }

  /// Memory that it takes, about, and a watch with it.
  var byteCount: Int {
    switch twins {
    case .prefix: return Self.watchBytes
    case .names(let names): return names.reduce(Self.watchBytes) { $0 + $1.count + Self.arrayBytes }
    }
  }

  private static let watchBytes = 1_024
  /// An array's header, its allocation's, and its place in the list of names.
  private static let arrayBytes = 56

  /// Whether the watch is for this twin.
  func covers(_ name: TwinName) -> Bool {
    switch twins {
    case .prefix(let prefix):
      return prefix.withUnsafeBytes { name.bytes.starts(with: $0) }
    case .names(let names):
      var low = 0
      var high = names.count
      while low < high {
        let middle = (low + high) / 2
        let order = names[middle].withUnsafeBytes { compareBytes($0, name.bytes) }
        if order == 0 { return true }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return false
    }
  }
}
