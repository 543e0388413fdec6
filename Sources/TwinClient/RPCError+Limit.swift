// The limit that an error reports.

import CTwindProto
import TTRPC

extension RPCError {
  /// Its name in GetServerInfo; nil if the error does not report a limit that the caller exceeded.
  public var limit: String? {
    guard let detail = details.first(where: { $0.typeURL.hasSuffix("/twind.v1.LimitDetail") }),
      let message = twind__v1__limit_detail__unpack(nil, detail.value.count, detail.value)
    else { return nil }
    defer { twind__v1__limit_detail__free_unpacked(message, nil) }
    return String(cString: message.pointee.limit)
  }
}
