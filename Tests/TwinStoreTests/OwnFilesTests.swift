// Files that are taken away or replaced under a store that has them open: it stops acknowledging what nobody would find.

import Foundation
import Testing
import TwinStore

@Suite struct OwnFilesTests {
  private let place = Workplace()

  /// A file that the store has open, by what it is for.
  private func path(_ what: String) throws -> String {
    if what != "segment" { return "\(place.path)/\(what)" }
    let journal = "\(place.path)/journal"
    let newest = try FileManager.default.contentsOfDirectory(atPath: journal).filter { $0.hasSuffix(".journal") }.max()
    return "\(journal)/\(try #require(newest))"
  }

  @Test(arguments: ["lock", "twind.db", "segment"], [true, false])
  func nothingIsWrittenToFilesThatNoStartWillFind(what: String, isReplaced: Bool) throws {
    let store = try place.open()
    try store.update("a/b/1", ["n": .int(1)])
    try store.sync()
    _ = try store.checkpoint()
    let path = try path(what)
    let bytes = try Data(contentsOf: URL(filePath: path))
    try FileManager.default.removeItem(atPath: path)
    if isReplaced { try bytes.write(to: URL(filePath: path)) }
    try store.update("a/b/1", ["n": .int(2)])
    #expect(throws: StoreError.replaced(path: path)) { try store.sync() }
    #expect(throws: StoreError.replaced(path: path)) { _ = try store.checkpoint() }
    let refused = #expect(throws: (any Error).self) { try store.update("a/b/1", ["n": .int(3)]) }
    #expect("\(try #require(refused))".contains(path))
    // Reads go on, as the message says.
    #expect(try store.value("a/b/1", "n") == .int(2))
    try? store.close()
  }

  /// The lock file is gone: another store does not get the directory all the same.
  @Test func aDirectoryIsOneStores() throws {
    let store = try place.open()
    try FileManager.default.removeItem(atPath: "\(place.path)/lock")
    #expect(throws: StoreError.inUse(directory: place.path)) { _ = try place.open() }
    #expect(throws: StoreError.inUse(directory: place.path)) {
      _ = try StoreCheck.run(directory: place.path, scratch: NSTemporaryDirectory())
    }
    try? store.close()
  }

  @Test(arguments: ["twind.db", "twind.db-wal", "journal"]) func linksAreRefused(name: String) throws {
    var store: Store? = try place.open()
    try store?.update("a/b/1", ["n": .int(1)])
    try store?.close()
    store = nil
    let path = "\(place.path)/\(name)"
    let elsewhere = NSTemporaryDirectory() + UUID().uuidString
    if FileManager.default.fileExists(atPath: path) {
      try FileManager.default.moveItem(atPath: path, toPath: elsewhere)
    }
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: elsewhere)
    defer { try? FileManager.default.removeItem(atPath: elsewhere) }
    #expect(throws: StoreError.link(path: path)) { _ = try place.open() }
  }

  @Test(arguments: ["backup", "journal/backup", "../", "link/backup"]) func backupsLieElsewhere(name: String) throws {
    let store = try place.open()
    let link = place.path + "-link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place.path)
    defer { try? FileManager.default.removeItem(atPath: link) }
    let path =
      switch name {
      case "../": "\(place.path)/journal/../backup"
      case "link/backup": "\(link)/backup"
      default: "\(place.path)/\(name)"
      }
    #expect(throws: StoreError.insideDataDirectory(path: path)) { _ = try store.backup(to: path) }
    // Beside it is elsewhere.
    let beside = place.path + "-backup"
    defer { try? FileManager.default.removeItem(atPath: beside) }
    _ = try store.backup(to: beside)
    try store.close()
  }

  @Test(arguments: [0o777, 0o775, 0o757]) func aDirectoryThatOthersMayWriteIsRefused(mode: Int) throws {
    try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place.path)
    let error = #expect(throws: StoreError.self) { _ = try place.open() }
    let text = try #require(error).description
    #expect(text.contains(place.path) && text.contains(String(mode, radix: 8)))
    // Both remedies.
    var options = Store.Options.small
    options.allowsSharedDirectory = true
    try place.open(options: options).close()
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: place.path)
    try place.open().close()
  }
}
