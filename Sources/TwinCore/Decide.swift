// Decide: a command and the twins as they are → facts, or why not. Pure; the commit section calls it.
//
// Promises: all or nothing. A change that changes nothing makes no fact. Facts of one twin are in byte order of
// their attributes, as `TwinImage.change` wants them.

import CTwindProto

package struct Decision {
  /// All facts of the commit; empty = nothing changes, no sequence is used up.
  package fileprivate(set) var facts: [Fact] = []
  /// For each twin of the command the range of its facts.
  package fileprivate(set) var ranges: [Range<Int>] = []
}

/// `images[i]` is the twin that `command.twins[i]` names, nil when it never existed; `recalled[i]` has removals that it
/// has forgotten.
package func decide(
  _ command: Command, on images: [TwinImage?], recalling recalled: [Int: TwinImage] = [:], as commit: Commit
) throws(TwinError) -> Decision {
  precondition(images.count == command.twins.count)
  var decision = Decision()
  for (index, (twin, image)) in zip(command.twins, images).enumerated() {
    try checkPrecondition(twin, on: image)
    let start = decision.facts.count
    switch twin.operation {
    case .delete:
      guard let image, !image.isDeleted else {
        throw TwinError(.notFound, "\(twin.name) does not exist")
      }
      decision.facts.append(
        Fact(.deletion, of: .empty, ordinal: UInt32(start), validFrom: commit.recordedAt, in: commit))
    case .update(let changes):
      try decideUpdate(of: twin, changes, on: image, recalled[index], as: commit, into: &decision.facts)
    }
    decision.ranges.append(start..<decision.facts.count)
  }
  return decision
}

private func checkPrecondition(_ twin: Command.Twin, on image: TwinImage?) throws(TwinError) {
  func conflict(_ code: StatusCode, _ message: String) -> TwinError {
    let detail = TwinError.Detail.conflict(
      name: twin.name.array, currentRevision: image?.revision ?? 0, lastAgent: image?.agent.array ?? [],
      recordedAt: image?.recordedAt ?? 0)
    return TwinError(code, message, detail: detail)
  }
  switch twin.precondition {
  case .none:
    break
  case .mustNotExist:
    if let image, !image.isDeleted {
      throw conflict(
        .alreadyExists,
        "\(twin.name) already exists at revision \(image.revision): to update it, leave must_not_exist out")
    }
  case .revision(let expected):
    // A delete of what is not there is NOT_FOUND, whatever revision it expects.
    if case .delete = twin.operation, image?.isDeleted ?? true { break }
    let current = image?.revision ?? 0
    if current != expected {
      throw conflict(
        .aborted, "\(twin.name) is at revision \(current), not \(expected): read it again before you write")
    }
  }
}

private func decideUpdate(
  of twin: Command.Twin, _ changes: [UnsafePointer<Twind__V1__Change>], on image: TwinImage?, _ recalled: TwinImage?,
  as commit: Commit, into facts: inout [Fact]
) throws(TwinError) {
  let exists = image.map { !$0.isDeleted } ?? false
  if changes.isEmpty && !exists {
    throw .invalid(
      "\(twin.name) does not exist and the request has no changes: set an attribute to create it")
  }
  let start = facts.count
  for change in changes {
    let name = Text(change.pointee.attribute)
    let retained = Retained(name.bytes, of: image, recalling: recalled)
    if let fact = try decideChange(change, of: name, on: retained, as: commit, ordinal: UInt32(facts.count)) {
      facts.append(fact)
    }
  }
  try checkSize(of: twin, with: facts[start...], on: image, recalled, as: commit)
}

/// What the twin would keep in memory must be within its limits.
private func checkSize(
  of twin: Command.Twin, with facts: ArraySlice<Fact>, on image: TwinImage?, _ recalled: TwinImage?,
  as commit: Commit
) throws(TwinError) {
  // Facts may replace others, but most twins are so small that it does not matter.
  let countMax = (image?.entryCount ?? 0) + (image?.pendingCount ?? 0) + facts.count
  let bytesMax = facts.reduce((image?.recordsLength ?? 0) + (image?.pendingLength ?? 0)) { $0 + $1.recordSize }
  if countMax <= Limits.attributesPerTwinMax && bytesMax <= Limits.twinBytesMax || facts.isEmpty { return }
  let after = apply(TwinImage.change(facts, named: twin.name, as: commit), to: image, recalling: recalled)
  // Scheduled ones count when they are written: when they begin, nobody is there to be refused. A twin of an earlier
  // version may have more: then there may be fewer, or other facts about the same.
  let attributeCount = after.attributeCount
  if attributeCount > Limits.attributesPerTwinMax, attributeCount > image?.attributeCount ?? 0 {
    throw .limit(
      .resourceExhausted, "\(twin.name)", "attributesPerTwinMax", maximum: Limits.attributesPerTwinMax,
      actual: attributeCount, unit: "attributes, including scheduled ones")
  }
  if after.pendingCount > max(Limits.pendingFactsPerTwinMax, image?.pendingCount ?? 0)
    || after.entryCount + after.pendingCount > Limits.attributesPerTwinMax + Limits.pendingFactsPerTwinMax
  {
    throw .limit(
      .resourceExhausted, "\(twin.name)", "pendingFactsPerTwinMax", maximum: Limits.pendingFactsPerTwinMax,
      actual: after.pendingCount, unit: "facts that are scheduled or bounded")
  }
  let bytes = after.recordsLength + after.pendingLength
  if bytes > Limits.twinBytesMax {
    throw .limit(
      .resourceExhausted, "\(twin.name)", "twinBytesMax", maximum: Limits.twinBytesMax, actual: bytes)
  }
}
