// Bytes go in at the end and come out at the start, whatever the sizes.

import TTRPC
import Testing

@Suite struct SendBufferTests {
  @Test func bytesComeOutInOrder() {
    var random = SeededRandom(seed: 7)
    var buffer = SendBuffer()
    var written: UInt8 = 0
    var read: UInt8 = 0
    for _ in 0..<200 {
      let count = Int.random(in: 1...3_000, using: &random)
      let room = buffer.append(count).assumingMemoryBound(to: UInt8.self)
      for index in 0..<count {
        room[index] = written
        written &+= 1
      }
      let taken = Int.random(in: 0...buffer.byteCount, using: &random)
      for byte in buffer.bytes.prefix(taken) {
        guard byte == read else {
          Issue.record("\(byte) came, not \(read)")
          return
        }
        read &+= 1
      }
      buffer.consume(taken)
    }
  }
}
