// The twins that a benchmark reads and writes.

import TwinClient

struct Population {
  let space: String
  let count: Int
  let attributes: Int
  let valueBytes: Int

  static func attribute(_ index: Int) -> String { "attribute_\(index)" }

  var value: String { String(repeating: "v", count: valueBytes) }

  func write(_ client: TwindClient) throws {
    let changes = (0..<attributes).map { Change.set(Self.attribute($0), .string(value)) }
    for start in stride(from: 0, to: count, by: batchTwins) {
      let batch = start..<min(start + batchTwins, count)
      try client.update(many: batch.map { TwinUpdate(TwinNames.name(space, $0), changes) })
    }
  }

  /// As many as the daemon takes in one batch: 256 twins, 1,000 changes, 1 MiB.
  private var batchTwins: Int {
    max(1, min(256, 1_000 / attributes, 900_000 / (attributes * (valueBytes + 100))))
  }

  func delete(_ client: TwindClient) throws {
    for number in 0..<count { try client.delete(TwinNames.name(space, number)) }
  }
}

extension TwinOptions {
  var population: Population {
    Population(space: space, count: twins, attributes: attributes, valueBytes: valueBytes)
  }
}
