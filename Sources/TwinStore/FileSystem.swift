// What the store asks of a file system, beside what SQLite does by itself: a parameter, so that a test can make it
// fail.

package protocol FileSystem: Sendable {
  /// Makes a directory with these permissions. One that is there already is left as it is.
  func createDirectory(_ path: String, mode: UInt32) throws(StoreError)

  func exists(_ path: String) -> Bool

  /// Makes the file when it is missing, and locks it until the result is released. Nil: another process or another
  /// store holds it.
  func lockFile(_ path: String) throws(StoreError) -> FileLock?
}

/// A locked file; unlocked when it is released, if not before.
package protocol FileLock: AnyObject, Sendable {
  func unlock()
}
