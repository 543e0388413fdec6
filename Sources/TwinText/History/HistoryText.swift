// Writes the file that carries a history from one data directory to another, from `twinctl export --history` to
// `twind restore`. It has a line of JSON for each fact, twin by twin:
//
//   {"history":1,"sequence":57,"prefix":"acme/","crc32c":"…"}
//   {"name":"acme/customer/42","sequence":7,"ordinal":0,"attribute":"plan","kind":"string",…,"crc32c":"…"}
//   {"end":true,"twins":1,"facts":1,"crc32c":"…"}
//
// Facts look as in `twinctl history --json`, after the twin's name. If retention has dropped facts of a twin, its first
// fact has "kept_from". Each line ends with a checksum of everything before it.

import TwinClient

package enum HistoryText {
  /// What a reader must know to read it.
  static let version: UInt64 = 1

  /// The first line.
  package static func header(sequence: UInt64, prefix: String) -> String {
    var object = JSONObject()
    object.add("history", version)
    object.add("sequence", sequence)
    object.add("prefix", prefix)
    return line(object)
  }

  /// - Parameter keptFrom: of the first fact of a twin.
  package static func fact(_ fact: Fact, of name: String, keptFrom: Int64?) -> String {
    var object = JSONObject()
    object.add("name", name)
    if let keptFrom { object.add("kept_from", time: keptFrom) }
    object.add(fact.json)
    return line(object)
  }

  /// The last line.
  package static func end(twins: UInt64, facts: UInt64) -> String {
    var object = JSONObject()
    object.add("end", true)
    object.add("twins", twins)
    object.add("facts", facts)
    return line(object)
  }

  private static func line(_ object: JSONObject) -> String {
    var object = object
    let sum = CRC32C.of(object.text.utf8.dropLast())
    object.add("crc32c", CRC32C.text(sum))
    return object.text + "\n"
  }

  /// Whether the checksum of a line is right; nil: it has none.
  static func isWhole(_ line: [UInt8]) -> Bool? {
    // {…,"crc32c":"01234567"}
    let mark = Array(",\"crc32c\":\"".utf8)
    let start = line.count - mark.count - 10
    guard start > 0, line[start..<start + mark.count].elementsEqual(mark), line.suffix(2).elementsEqual("\"}".utf8)
    else { return nil }
    return line[(start + mark.count)...].dropLast(2).elementsEqual(CRC32C.text(CRC32C.of(line[..<start])).utf8)
  }
}
