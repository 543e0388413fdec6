// What a caller is told when a request cannot be served: a code, a sentence, and details a program can read.
//
// Promises: the message names the offending thing and says what to do. TwinService maps it to the wire.

package struct TwinError: Error, Equatable {
  /// What a program can act on; becomes a message of twind/v1/errors.proto.
  package enum Detail: Equatable, Sendable {
    /// A precondition does not hold. `recordedAt` in microseconds since the epoch.
    case conflict(name: [UInt8], currentRevision: UInt64, lastAgent: [UInt8], recordedAt: Int64)
    /// A sequence cannot be resumed from or waited for.
    case resume(oldest: UInt64, head: UInt64)
    /// A named limit, its value, and what the request would have needed; 0 = that is not known.
    case limit(name: String, maximum: UInt64, actual: UInt64)

    package static func limit(_ name: String, maximum: Int, actual: Int) -> Detail {
      .limit(name: name, maximum: UInt64(clamping: maximum), actual: UInt64(clamping: actual))
    }
  }

  package let code: StatusCode
  package let message: String
  package let detail: Detail?

  package init(_ code: StatusCode, _ message: String, detail: Detail? = nil) {
    self.code = code
    self.message = message
    self.detail = detail
  }

  package static func invalid(_ message: String) -> TwinError { TwinError(.invalidArgument, message) }

  /// Something is larger than a named limit. `thing` is the subject of the message: "the value of \"email\"".
  package static func limit(
    _ code: StatusCode, _ thing: String, _ limit: String, maximum: Int, actual: Int, unit: String = "bytes"
  ) -> TwinError {
    TwinError(
      code, "\(thing) has \(actual) \(unit), at most \(maximum) are allowed",
      detail: .limit(limit, maximum: maximum, actual: actual))
  }
}

extension TwinError {
  /// Without who changed a twin last, and when.
  package var withoutAuthor: TwinError {
    guard case .conflict(let name, let revision, _, _) = detail else { return self }
    let detail = Detail.conflict(name: name, currentRevision: revision, lastAgent: [], recordedAt: 0)
    return TwinError(code, message, detail: detail)
  }
}

extension TwinError: CustomStringConvertible {
  package var description: String { "\(code): \(message)" }
}

/// Bytes as they may stand in a message: in quotes, at most 80 of them, with all that is not printable escaped.
package func quoted(_ bytes: UnsafeRawBufferPointer) -> String {
  let shown = UnsafeRawBufferPointer(rebasing: bytes.prefix(80))
  let isText = isUTF8(shown) && !holdsControl(shown)
  var text: [UInt8] = [UInt8(ascii: "\"")]
  for byte in shown {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      text += [UInt8(ascii: "\\"), byte]
    case 0x20...0x7e:
      text.append(byte)
    default:
      if isText {
        text.append(byte)
      } else {
        let digits = String(byte, radix: 16)
        text += ("\\x" + (byte < 0x10 ? "0" : "") + digits).utf8
      }
    }
  }
  return String(decoding: text, as: UTF8.self) + "\"" + (bytes.count > shown.count ? "…" : "")
}
