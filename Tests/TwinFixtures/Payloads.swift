// Commits as records of a journal, for tests.

import TwinCore

/// The payload of a commit of these changes.
package func encoded(
  _ changes: [TwinImage], keyed: KeyedResult? = nil, recordedAt: Int64? = nil, agent: String? = nil
) -> [UInt8] {
  var payload: [UInt8] = []
  withBytes(agent.map { Array($0.utf8) } ?? changes[0].agent.array) { agent in
    CommitPayload.append(
      recordedAt: recordedAt ?? changes[0].recordedAt, agent: agent, changes: changes, keyed: keyed, to: &payload)
  }
  return payload
}

package func decoded(_ payload: [UInt8], sequence: UInt64) throws(RecordFault) -> CommitPayload {
  try withBytes(payload) { (bytes: UnsafeRawBufferPointer) throws(RecordFault) in
    try CommitPayload(decoding: bytes, sequence: sequence)
  }
}
