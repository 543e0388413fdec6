// What a listener makes, and what it refuses to replace.

import CLinux
import EchoService
import Glibc
import InteropRoutes
import TTRPC
import Testing

@Suite(.serialized) struct UnixListenerTests {
  private let folder = TemporaryFolder()
  private var path: String { "\(folder.path)/s" }

  private static func mode(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  /// The refusal, which names the path; nil when there is none.
  private func refusal(_ path: String) -> String? {
    do throws(UnixListener.Failure) {
      _ = try UnixListener(path: path)
      return nil
    } catch {
      #expect(error.description.contains(path))
      #expect(!error.description.contains("\n"))
      return error.description
    }
  }

  @Test(arguments: [0o000, 0o022, 0o077] as [mode_t])
  func theModeIsAsAskedWhateverTheUmask(_ mask: mode_t) throws {
    let old = umask(mask)
    defer { umask(old) }
    _ = try UnixListener(path: path)
    #expect(Self.mode(path) == 0o600)
    _ = try UnixListener(path: path + "2", mode: 0o660, group: getegid())
    #expect(Self.mode(path + "2") == 0o660)
    unlink(path)
    unlink(path + "2")
  }

  @Test func aStaleSocketIsReplacedAndALiveOneIsNot() throws {
    let server = try TestServer.echo()
    #expect(refusal(server.path)?.contains("another daemon is serving") == true)
    #expect(try Client(path: server.path).call(EchoRoutes.echo, EchoMessage("alive")).text == "alive")

    let dead = twind_unix_socket(0)
    #expect(twind_bind(dead, path) == 0)
    close(dead)
    #expect(refusal(path) == nil)
    #expect(Self.mode(path) == 0o600)
  }

  @Test func whatIsNoSocketIsLeftAlone() {
    symlink("elsewhere", path)
    #expect(refusal(path)?.contains("the socket path is a symbolic link") == true)
    unlink(path)
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    #expect(refusal(path)?.contains("is not a socket") == true)
    #expect(access(path, F_OK) == 0)
    unlink(path)
    mkdir(path, 0o700)
    #expect(refusal(path)?.contains("is not a socket") == true)
    rmdir(path)
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a socket away"))
  func anotherUsersSocketIsRefused() {
    let dead = twind_unix_socket(0)
    #expect(twind_bind(dead, path) == 0)
    close(dead)
    chown(path, 12_345, 12_345)
    #expect(refusal(path)?.contains("belongs to user 12345") == true)
    #expect(access(path, F_OK) == 0)
  }

  @Test func thePathHasALimit() {
    let fits = folder.path + "/" + String(repeating: "p", count: 107 - folder.path.utf8.count - 1)
    #expect(fits.utf8.count == 107)
    #expect(refusal(fits) == nil)
    #expect(refusal(fits + "p")?.contains("socket path has 108 bytes") == true)
    let error = #expect(throws: RPCError.self) { try Client(path: fits + "p").call(EchoRoutes.echo, EchoMessage()) }
    #expect(error?.code == .invalidArgument)
  }

  @Test func aMissingFolderAndAnEmptyPathAreNamed() {
    #expect(refusal("\(folder.path)/missing/s")?.contains("directory of the socket does not exist") == true)
    #expect(refusal("")?.contains("socket path is empty") == true)
  }
}
