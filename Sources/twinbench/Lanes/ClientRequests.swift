// The requests of the Swift client's lane, made once; names and the new value change in place.

import CTwindProto
import TTRPC
import TwinClient

/// One thread uses it.
final class ClientRequests {
  let read: UnsafeMutablePointer<Twind__V1__GetTwinRequest>
  let update: UnsafeMutablePointer<Twind__V1__UpdateTwinRequest>
  let batch: UnsafeMutablePointer<Twind__V1__BatchGetTwinsRequest>
  let watch: UnsafeMutablePointer<Twind__V1__WatchTwinsRequest>
  private let arena = Arena()
  private let names: [UnsafeMutablePointer<CChar>]
  private let value: UnsafeMutablePointer<CChar>
  private let digitsAt: Int
  private let keyCount: Int
  private var written = UInt64.random(in: 0 ... .max / 2)

  init(_ requests: TwindRequests, keyCount: Int) {
    self.keyCount = keyCount
    let arena = arena
    let texts = (0..<min(keyCount, Operation.batchTwins)).map { TwinNames.name(requests.space, $0) }
    names = texts.map { arena.string($0) }
    digitsAt = texts[0].utf8.count - TwinNames.digits
    read = arena.make()
    read.pointee.name = names[0]
    update = requests.update(arena, RequestTemplate.valueMark)
    update.pointee.name = names[0]
    value = update.pointee.changes[0]!.pointee.set.pointee.string_value
    batch = arena.make()
    batch.pointee.n_names = names.count
    batch.pointee.names = arena.array(names)
    watch = arena.make()
    watch.pointee.n_names = 1
    watch.pointee.names = arena.array([names[0]])
  }

  /// Only what the operation needs.
  func fill(_ call: Call) {
    TwinNames.write(call.key, to: UnsafeMutableRawPointer(names[0] + digitsAt))
    switch call.operation {
    case .read, .watch: break
    case .update:
      written += 1
      HexDigits.write(written, to: UnsafeMutableRawPointer(value))
    case .batch:
      for (index, name) in names.enumerated().dropFirst() {
        TwinNames.write((call.key + index) % keyCount, to: UnsafeMutableRawPointer(name + digitsAt))
      }
    }
  }
}
