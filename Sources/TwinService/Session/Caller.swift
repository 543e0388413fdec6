// Who makes a call, and what it may see: resolved once for a connection, and again when it opens a session.

import TTRPC
import TwinCore
import TwinStore

/// The context of a connection's calls. Everything but the views is immutable; views are made and looked up on the
/// connection's thread only, and may be used on any.
final class Caller: @unchecked Sendable {
  /// How many purposes are remembered with their views.
  private static let viewsMax = 8

  private struct Entry {
    /// As the request states it; empty: not stated.
    let stated: [UInt8]
    let view: View
  }

  let peer: Peer
  /// Empty: none.
  let defaultPurpose: Text
  /// Its name, as recorded in facts.
  let agent: Text
  private let words: [UnsafeMutablePointer<CChar>]
  private let store: Store

  /// The view used last, and what was stated for it.
  @exclusivity(unchecked) private var latest: View
  @exclusivity(unchecked) private var latestStated: UnsafeRawBufferPointer
  @exclusivity(unchecked) private var entries: [Entry]
  /// The same peer under the name that a call states in its metadata.
  @exclusivity(unchecked) private var alias: Caller?

  init(_ peer: Peer, agent: [UInt8], defaultPurpose: [UInt8] = [], store: Store) {
    self.peer = peer
    self.store = store
    words = [agent, defaultPurpose].map(Self.word)
    self.agent = Text(start: words[0], count: agent.count)
    self.defaultPurpose = Text(start: words[1], count: defaultPurpose.count)
    latest = store.view(agent: agent, purpose: defaultPurpose)
    entries = [Entry(stated: [], view: latest)]
    latestStated = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  deinit {
    for word in words { word.deallocate() }
    latestStated.deallocate()
  }

  private static func word(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
    let word = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { word[index] = CChar(bitPattern: byte) }
    word[bytes.count] = 0
    return word
  }

  /// What the caller sees for a purpose; if it states none, for its default purpose.
  func view(for purpose: Text) throws(TwinError) -> View {
    if let view = latestView(for: purpose) { return view.takeUnretainedValue() }
    return try makeLatest(purpose)
  }

  /// The same without counting references, if it is the view that was used last. Valid until another one is.
  @inline(__always)
  func latestView(for purpose: Text) -> Unmanaged<View>? {
    guard equalBytes(latestStated, purpose.bytes), latest.stamp == store.rulesStamp else { return nil }
    return .passUnretained(latest)
  }

  private func makeLatest(_ purpose: Text) throws(TwinError) -> View {
    let stated = purpose.array
    let stamp = store.rulesStamp
    entries.removeAll { $0.view.stamp != stamp }
    if let index = entries.firstIndex(where: { $0.stated == stated }) {
      entries.swapAt(0, index)
    } else {
      try checkPurpose(purpose.bytes)
      let view = store.view(agent: agent.array, purpose: stated.isEmpty ? defaultPurpose.array : stated)
      entries.insert(Entry(stated: stated, view: view), at: 0)
      if entries.count > Self.viewsMax { entries.removeLast() }
    }
    latest = entries[0].view
    latestStated.deallocate()
    let kept = UnsafeMutableRawBufferPointer.allocate(byteCount: stated.count, alignment: 1)
    kept.copyBytes(from: stated)
    latestStated = UnsafeRawBufferPointer(kept)
    return latest
  }

  /// The same peer under another name.
  func alias(_ agent: UnsafeRawBufferPointer) -> Caller {
    if equalBytes(agent, self.agent.bytes) { return self }
    if let alias, equalBytes(agent, alias.agent.bytes) { return alias }
    let other = Caller(peer, agent: [UInt8](agent), defaultPurpose: defaultPurpose.array, store: store)
    alias = other
    return other
  }
}

extension UnaryCall {
  /// The connection's caller, or the one that the call's metadata name. Valid while the handler runs.
  var caller: Unmanaged<Caller> {
    @inline(__always) get {
      let caller = Unmanaged<Caller>.fromOpaque(context.toOpaque())
      if metadata.count == 0 { return caller }
      guard let agent = metadata.bytes(Agents.metadataKey) else { return caller }
      return caller._withUnsafeGuaranteedRef { .passUnretained($0.alias(agent)) }
    }
  }
}

extension ServerCall {
  /// The same; valid as long as the call, until its thread asks again.
  var caller: Unmanaged<Caller> {
    let caller = Unmanaged<Caller>.fromOpaque(Unmanaged.passUnretained(context).toOpaque())
    guard var agent = metadata("\(Agents.metadataKey)") else { return caller }
    return agent.withUTF8 { .passUnretained(caller.takeUnretainedValue().alias(UnsafeRawBufferPointer($0))) }
  }

  /// What the caller sees for a purpose, to keep.
  func view(for purpose: Text) throws(TwinError) -> View {
    try caller.takeUnretainedValue().view(for: purpose)
  }
}

extension UnaryCall {
  /// The same.
  func view(for purpose: Text) throws(TwinError) -> View {
    try caller.takeUnretainedValue().view(for: purpose)
  }
}
