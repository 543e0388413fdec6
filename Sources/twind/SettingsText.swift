// Parses settings that are not plain strings or numbers: sizes, durability levels, modes, groups, agents.

import Glibc
import TwinCore
import TwinStore

/// `128MiB`, `1GiB`, `64MB`, `1000000`.
enum ByteCountText {
  private static let units: [(name: String, bytes: Int)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ("", 1),
  ]

  static func parse(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }) else {
      return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
    return overflow ? nil : bytes
  }

  static func format(_ bytes: Int) -> String {
    let unit = units.prefix(3).last { bytes % $0.bytes == 0 && bytes > 0 }
    return unit.map { "\(bytes / $0.bytes)\($0.name)" } ?? "\(bytes)"
  }
}

/// `memory`, `journaled`, `synced`.
enum DurabilityText {
  private static let names: [(String, Durability)] = [
    ("memory", .memory), ("journaled", .journaled), ("synced", .synced),
  ]

  static func parse(_ text: String) -> Durability? { names.first { $0.0 == text.lowercased() }?.1 }

  static func format(_ durability: Durability) -> String { names[durability.rawValue].0 }
}

/// The mode and group of the socket.
enum SocketAccess {
  /// Octal permissions.
  static func mode(_ text: String) -> mode_t? {
    guard let mode = mode_t(text, radix: 8), mode <= 0o777 else { return nil }
    return mode
  }

  /// The number of a group, from its name or number.
  static func group(_ text: String) -> gid_t? {
    if let number = gid_t(text) { return number }
    return getgrnam(text)?.pointee.gr_gid
  }
}

/// `1001=billing,1002=sales`. Each user may appear once.
enum AgentsText {
  static func parse(_ text: String) -> [UInt32: String]? {
    var agents: [UInt32: String] = [:]
    for pair in text.split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let uid = UInt32(parts[0]), agents[uid] == nil else { return nil }
      var name = String(parts[1])
      let isGood = name.withUTF8 { bytes in (try? checkAgent(UnsafeRawBufferPointer(bytes))) != nil }
      guard isGood else { return nil }
      agents[uid] = name
    }
    return agents
  }
}
