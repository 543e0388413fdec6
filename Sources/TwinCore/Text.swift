// A string that someone else owns: the form in which protobuf-c hands out strings and takes them.
//
// Promises nothing about lifetime: it is good as long as the message or image it was taken from. Compared by
// bytes.

package struct Text: @unchecked Sendable {
  /// Ends with a NUL, which `count` leaves out.
  package let start: UnsafePointer<CChar>
  package let count: Int

  /// A NUL-terminated string; nil stands for the empty one.
  package init(_ start: UnsafePointer<CChar>?) {
    guard let start else {
      self = .empty
      return
    }
    self.start = start
    var end = start
    while end.pointee != 0 { end += 1 }
    self.count = end - start
  }

  /// `start[count]` must be NUL.
  package init(start: UnsafePointer<CChar>, count: Int) {
    self.start = start
    self.count = count
  }

  /// Lives as long as the process.
  package static let empty: Text = {
    let nul = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    nul.initialize(to: 0)
    return Text(start: nul, count: 0)
  }()

  package var isEmpty: Bool { count == 0 }
  package func or(_ other: Text) -> Text { isEmpty ? other : self }
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
  package var array: [UInt8] { [UInt8](bytes) }

  /// What protobuf-c's structs want; it only reads it.
  package var mutable: UnsafeMutablePointer<CChar> { UnsafeMutablePointer(mutating: start) }
}
