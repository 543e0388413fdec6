// The twins that a benchmark reads and writes.

import TwinClient

struct Population {
  let names: [String]
  private let attributeCount: Int
  private let valueBytes: Int

  init(_ arguments: BenchArguments) {
    names = (0..<arguments.twins).map { "\(arguments.space)/customer/\($0)" }
    attributeCount = arguments.attributes
    valueBytes = arguments.valueBytes
  }

  static func attribute(_ index: Int) -> String { "attribute_\(index)" }

  func write(_ client: TwindClient) throws {
    let value = String(repeating: "v", count: valueBytes)
    let changes = (0..<attributeCount).map { Change.set(Self.attribute($0), .string(value)) }
    for start in stride(from: 0, to: names.count, by: batchTwins) {
      let batch = names[start..<min(start + batchTwins, names.count)]
      try client.update(many: batch.map { TwinUpdate($0, changes) })
    }
  }

  /// As many as the daemon takes in one batch: 256 twins, 1,000 changes, 1 MiB.
  private var batchTwins: Int {
    max(1, min(256, 1_000 / attributeCount, 900_000 / (attributeCount * (valueBytes + 100))))
  }

  func delete(_ client: TwindClient) throws {
    for name in names { try client.delete(name) }
  }
}
