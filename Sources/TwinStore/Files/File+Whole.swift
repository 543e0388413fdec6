// Whole reads and writes, over system calls that may do less than they were asked or be interrupted.

import Glibc

extension File {
  /// Writes all of it, or throws; then some of it may be there.
  package func writeAll(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = try uninterrupted { () throws(Errno) in try write(rest, at: offset + Int(done)) }
      // A device that takes nothing and says so without an error would be asked for ever.
      if count == 0 { throw Errno(EIO) }
      done += count
    }
  }

  /// Fills the buffer as far as the file reaches; returns the bytes read.
  package func readAll(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = try uninterrupted { () throws(Errno) in try read(into: rest, at: offset + Int(done)) }
      if count == 0 { break }
      done += count
    }
    return done
  }
}

/// Calls again while the call was interrupted by a signal. Never used for a sync: what a failed sync left is unknown.
package func uninterrupted<R>(_ call: () throws(Errno) -> R) throws(Errno) -> R {
  while true {
    do throws(Errno) {
      return try call()
    } catch {
      if error.code != EINTR { throw error }
    }
  }
}
