// Received bytes wait for the rest of their frame in no more room than they need.

import TTRPC
import Testing

@Suite struct ReceiveBufferTests {
  @Test func bytesComeOutInOrder() {
    var random = SeededRandom(seed: 8)
    var buffer = ReceiveBuffer()
    var written: UInt8 = 0
    var read: UInt8 = 0
    for _ in 0..<200 {
      let room = buffer.room()
      #expect(room.count > 0)
      let count = min(room.count, Int.random(in: 1...3_000, using: &random))
      for index in 0..<count {
        room[index] = written
        written &+= 1
      }
      buffer.received(count)
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

  @Test func itGrowsAsBytesArriveUpToOneFrame() {
    var buffer = ReceiveBuffer()
    var total = 0
    while total < ReceiveBuffer.bytesMax {
      let count = min(buffer.room().count, 5_000)
      buffer.received(count)
      total += count
      let capacity = buffer.capacity
      #expect(capacity <= max(2 * total, 4096))
    }
    let full = buffer.capacity
    buffer.consume(total)
    buffer.free()
    let freed = buffer.capacity
    #expect(full == ReceiveBuffer.bytesMax)
    #expect(freed == 0)
  }

  @Test func holdingCopiesAndLeavesRoom() {
    for count in [1, 4095, 4096, 4097, 60_000] {
      let bytes = [UInt8](repeating: 3, count: count)
      bytes.withUnsafeBytes { source in
        let buffer = ReceiveBuffer.holding(source)
        let (copy, capacity) = (Array(buffer.bytes), buffer.capacity)
        #expect(copy == bytes)
        #expect(capacity > count && capacity <= max(2 * count, 4096))
      }
    }
  }
}
