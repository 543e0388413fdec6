// Idempotency keys of an import: the same rows of the same file, written in the same way, are written once.

import TwinClient

/// A batch's key is made of the file's digest, of the lines that the batch has, and of what it writes. So a batch that
/// other options make of the same lines is another one.
package struct ImportKeys: Sendable {
  private let file: [UInt8]

  /// - Parameter file: the digest of the whole file.
  package init(file: [UInt8]) { self.file = file }

  /// `import:9f86d081884c7d659a2feaa0c55ad015:2`, which ends in the first line.
  ///
  /// - Parameter purpose: what the data is for.
  package func key(_ batch: ImportBatch, purpose: String) -> String {
    var hash = SHA256()
    file.withUnsafeBytes { hash.add($0) }
    hash.add(purpose)
    for row in batch.rows {
      hash.add(row.record.line)
      // A line of an export may write the same twice, with something else between.
      hash.add(row.round)
      hash.add(row.update.name)
      for change in row.update.changes { hash.add(change) }
    }
    let hex = hash.digest().prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return "import:\(hex):\(batch.rows.first?.record.line ?? 0)"
  }
}

/// Each part with its length or in a fixed number of bytes, so that no two batches are the same bytes.
extension SHA256 {
  fileprivate mutating func add(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { add($0) }
  }

  fileprivate mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      add(bytes.count)
      add(UnsafeRawBufferPointer(bytes))
    }
  }

  fileprivate mutating func add(_ change: Change) {
    add(change.attribute)
    switch change.operation {
    case .set(let value):
      add(1)
      add(value)
    case .remove: add(2)
    case .increment(let delta):
      add(3)
      add(delta)
    }
    add(Int(change.validFrom ?? 0))
    add(Int(change.validTo ?? 0))
    add(Int(bitPattern: UInt(change.confidence?.bitPattern ?? 0)))
    add(change.evidence ?? "")
  }

  private mutating func add(_ value: Value) {
    add(value.kind.rawValue)
    switch value {
    case .scalar(let scalar): add(scalar)
    case .list(let scalars):
      add(scalars.count)
      for scalar in scalars {
        add(scalar.kind.rawValue)
        add(scalar)
      }
    case .json(let text): add(text)
    }
  }

  private mutating func add(_ scalar: Scalar) {
    switch scalar {
    case .string(let text): add(text)
    case .int(let number), .timestamp(let number): add(Int(number))
    case .double(let number): add(Int(bitPattern: UInt(number.bitPattern)))
    case .bool(let truth): add(truth ? 1 : 0)
    case .bytes(let bytes), .unknown(let bytes):
      add(bytes.count)
      bytes.withUnsafeBytes { add($0) }
    }
  }
}
