// Removals that images have forgotten, looked up for a commit: in the database and in what it does not have yet.

import TwinCore

/// What was found for one twin of a commit.
struct Recollection {
  /// It was at this revision.
  let revision: UInt64
  let removals: TwinImage?
}

extension Command.Twin {
  /// Attributes of which the image may have forgotten a removal that matters here.
  func forgottenNames(of image: TwinImage) -> [[UInt8]] {
    guard image.forgottenThrough != .min, case .update(let changes) = operation else { return [] }
    return image.forgottenNames(
      changes.map { change in
        let from = change.pointee.valid_from_time
        return (Text(change.pointee.attribute).bytes, (from == 0 ? .max : from, change.pointee.valid_to_time))
      })
  }
}

extension Store {
  /// Reads the history of each twin that needs it. Blocks for as long as the disk takes.
  func recall(for command: Command) throws(TwinError) -> [Int: Recollection] {
    var found: [Int: Recollection] = [:]
    for (index, twin) in command.twins.enumerated() {
      guard case .image(let image) = cache.withTwin(twin.name, { found, _ in found }) else { continue }
      let names = twin.forgottenNames(of: image)
      if names.isEmpty { continue }
      do throws(StoreError) {
        found[index] = Recollection(revision: image.revision, removals: try removals(of: names, of: twin.name))
      } catch {
        throw TwinError(
          error.isDataLoss ? .dataLoss : .unavailable,
          "cannot read whether an attribute of \(twin.name) was removed later than this; nothing was written: \(error)")
      }
    }
    return found
  }

  private func removals(of names: [[UInt8]], of twin: TwinName) throws(StoreError) -> TwinImage? {
    for _ in 0..<Limits.historyTriesMax {
      var search = RemovalSearch(names)
      var cursor = HistoryCursor(twin)
      while true {
        let page = try read(&cursor)
        switch page {
        case .absent: return nil
        case .part(let facts), .last(let facts, _):
          do throws(RecordFault) {
            for fact in facts { try search.add(fact) }
          } catch {
            throw database.damagedTwin(cursor.twin, "\(twin)", "its fact \(error.offset): \(error.reason)")
          }
        case .trimmed: break
        }
        if case .last = page { return search.recalled(twin) }
        // Retention dropped facts meanwhile: from the beginning.
        if case .trimmed = page { break }
      }
    }
    throw .database(path: database.path, operation: "read", code: 5, message: "retention drops facts all the time")
  }
}

extension Replay {
  /// The same for a commit of the journal, of what was replayed before it.
  func removals(of names: [[UInt8]], of twin: TwinName) throws(StoreError) -> TwinImage? {
    if names.isEmpty { return nil }
    var search = RemovalSearch(names)
    var cursor: (after: Int64, head: FactsHead?) = (0, nil)
    do {
      while let page = try database.page(of: twin, after: cursor.after, known: cursor.head, limits: HistoryLimits()) {
        for row in page.rows {
          try search.add(row.fact)
          cursor.after = FactRow.id(sequence: row.fact.sequence, ordinal: Int(row.fact.ordinal))
        }
        cursor.head = page.head
        if page.isEnd { break }
      }
      let shard = cache.shard(of: twin)
      let changes = shard.lock.withLock {
        shard.find(twin).map { shard.unwritten.changes(of: TwinImage(storage: $0.takeUnretainedValue())) } ?? []
      }
      for change in changes where change.revision > cursor.head?.revision ?? 0 {
        for (index, entry) in change.entries.enumerated() {
          try search.add(
            StoredFact(
              sequence: change.revision, ordinal: UInt32(change.firstOrdinal + index),
              message: [UInt8](change.message(entry))))
        }
      }
    } catch let error as RecordFault {
      throw database.damagedTwin(cursor.head?.twin ?? 0, "\(twin)", "its fact \(error.offset): \(error.reason)")
    } catch let error as StoreError {
      throw error
    } catch {
      preconditionFailure("nothing else is thrown: \(error)")
    }
    return search.recalled(twin)
  }
}
