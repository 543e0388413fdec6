// Encoding a message with protobuf-c.

import Testing
import Threads

@Suite struct ProtobufMessageTests {
  /// A race that only ThreadSanitizer sees: all empty arrays are one object.
  @Test func threadsEncodeEmptyMessagesAtOnce() {
    let threads = (0..<2).map { _ in
      Thread(name: "encoder") {
        for _ in 0..<100 { #expect(EchoMessage().encoded.isEmpty) }
      }
    }
    for thread in threads { thread.join() }
  }
}
