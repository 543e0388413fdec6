// Commands from the three requests that write.

import CTwindProto

extension Command {
  package init(
    update request: UnsafePointer<Twind__V1__UpdateTwinRequest>, agent: Text, defaultPurpose: Text = .empty
  ) throws(TwinError) {
    let twin = try Command.twin(request)
    try self.init(
      .update, twins: [twin], agent: agent, purpose: Text(request.pointee.purpose).or(defaultPurpose),
      idempotencyKey: Text(request.pointee.idempotency_key), durability: request.pointee.durability)
  }

  package init(
    delete request: UnsafePointer<Twind__V1__DeleteTwinRequest>, agent: Text, defaultPurpose: Text = .empty
  ) throws(TwinError) {
    let name = try TwinName(writing: Text(request.pointee.name))
    let isStated = request.pointee.precondition_case != TWIND__V1__DELETE_TWIN_REQUEST__PRECONDITION__NOT_SET
    let precondition = isStated ? Precondition.revision(request.pointee.expected_revision) : .none
    try self.init(
      .delete, twins: [Twin(name: name, precondition: precondition, operation: .delete)], agent: agent,
      purpose: Text(request.pointee.purpose).or(defaultPurpose), idempotencyKey: Text(request.pointee.idempotency_key),
      durability: request.pointee.durability)
  }

  package init(
    batch request: UnsafePointer<Twind__V1__BatchUpdateTwinsRequest>, agent: Text, defaultPurpose: Text = .empty
  ) throws(TwinError) {
    let count = request.pointee.n_requests
    if count == 0 { throw .invalid("the batch has no requests") }
    if count > Limits.batchTwinsMax {
      throw .limit(
        .invalidArgument, "the batch", "batchTwinsMax", maximum: Limits.batchTwinsMax, actual: count, unit: "twins")
    }
    let key = Text(request.pointee.idempotency_key)
    var twins: [Twin] = []
    twins.reserveCapacity(count)
    var names: Set<TwinName> = []
    var changes = 0
    for index in 0..<count {
      guard let one = request.pointee.requests[index] else { throw .invalid("request \(index) is missing") }
      try Command.checkBare(one)
      changes += one.pointee.n_changes
      try Command.checkCount(changes)
      let twin = try Command.twin(one)
      if !names.insert(twin.name).inserted { throw .invalid("\(twin.name) appears twice in the batch") }
      if !key.isEmpty, let first = twins.first, !equalBytes(first.name.space, twin.name.space) {
        throw .invalid(
          "with an idempotency_key, all twins must be in the same space: \(first.name) and \(twin.name) are not")
      }
      twins.append(twin)
    }
    try self.init(
      .batch, twins: twins, agent: agent, purpose: Text(request.pointee.purpose).or(defaultPurpose),
      idempotencyKey: key, durability: request.pointee.durability)
  }

  /// In a batch these three stand in the batch itself.
  private static func checkBare(_ request: UnsafePointer<Twind__V1__UpdateTwinRequest>) throws(TwinError) {
    let field: String? =
      if !Text(request.pointee.idempotency_key).isEmpty {
        "idempotency_key"
      } else if request.pointee.durability != TWIND__V1__DURABILITY__DURABILITY_UNSPECIFIED {
        "durability"
      } else if !Text(request.pointee.purpose).isEmpty {
        "purpose"
      } else {
        nil
      }
    guard let field else { return }
    throw .invalid(
      "\(field) is set for \(quoted(Text(request.pointee.name).bytes)): set it for the whole batch instead")
  }

  private static func twin(_ request: UnsafePointer<Twind__V1__UpdateTwinRequest>) throws(TwinError) -> Twin {
    let name = try TwinName(writing: Text(request.pointee.name))
    let precondition: Precondition =
      switch request.pointee.precondition_case {
      case TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_EXPECTED_REVISION:
        .revision(request.pointee.expected_revision)
      case TWIND__V1__UPDATE_TWIN_REQUEST__PRECONDITION_MUST_NOT_EXIST:
        request.pointee.must_not_exist != 0 ? .mustNotExist : .none
      default: .none
      }
    return Twin(
      name: name, precondition: precondition,
      operation: .update(try changes(request.pointee.changes, count: request.pointee.n_changes)))
  }

  private static func changes(
    _ changes: UnsafeMutablePointer<UnsafeMutablePointer<Twind__V1__Change>?>?, count: Int
  ) throws(TwinError) -> [UnsafePointer<Twind__V1__Change>] {
    try checkCount(count)
    guard count > 0, let changes else { return [] }
    var checked: [(name: Text, change: UnsafePointer<Twind__V1__Change>)] = []
    checked.reserveCapacity(count)
    for index in 0..<count {
      guard let change = changes[index] else { throw .invalid("change \(index) is missing") }
      checked.append((try checkChange(change), UnsafePointer(change)))
    }
    checked.sort { compareBytes($0.name.bytes, $1.name.bytes) < 0 }
    for index in 1..<max(count, 1) where equalBytes(checked[index - 1].name.bytes, checked[index].name.bytes) {
      throw .invalid("the attribute \(quoted(checked[index].name.bytes)) appears twice in the request")
    }
    return checked.map(\.change)
  }

  private static func checkCount(_ changes: Int) throws(TwinError) {
    if changes > Limits.changesMax {
      throw .limit(
        .invalidArgument, "the request", "changesMax", maximum: Limits.changesMax, actual: changes, unit: "changes")
    }
  }
}
