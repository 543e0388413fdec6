// A fact with other times: what `twind recover --reset-clock` writes in the place of one that a wrong clock recorded.

extension AttributeRecord {
  /// The same fact, encoded, as if it had been recorded at another time. A validity that began with its recording does so
  /// still.
  package func rerecorded(at time: Int64) -> [UInt8] {
    precondition(time != 0, "a fact has a recorded time")
    let from = validFrom == recordedAt ? time : validFrom
    let size =
      FieldWriter.size(bytes: name.count) + FieldWriter.size(bytes: value.count)
      + [UInt64(bitPattern: from), UInt64(bitPattern: validTo), UInt64(bitPattern: time), sequence]
      .reduce(0) { $0 + FieldWriter.size(varint: $1) }
      + FieldWriter.size(bytes: agent.count) + (confidence.bitPattern == 0 ? 0 : 9)
      + FieldWriter.size(bytes: evidence.count) + FieldWriter.size(bytes: purpose.count)
      + FieldWriter.size(bytes: increment.count) + stamps.count
    var bytes = [UInt8](repeating: 0, count: size)
    bytes.withUnsafeMutableBytes { buffer in
      var writer = FieldWriter(buffer)
      writer.field(1, name)
      writer.field(2, value)
      writer.field(3, varint: UInt64(bitPattern: from))
      writer.field(4, varint: UInt64(bitPattern: validTo))
      writer.field(5, varint: UInt64(bitPattern: time))
      writer.field(6, agent)
      writer.field(7, fixed64: confidence.bitPattern)
      writer.field(8, evidence)
      writer.field(9, varint: sequence)
      writer.field(10, purpose)
      writer.field(11, increment)
      writer.copy(stamps)
      precondition(writer.isFull, "the size was computed before")
    }
    return bytes
  }
}
