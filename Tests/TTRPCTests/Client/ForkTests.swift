// A client in a forked child: a connection belongs to the process that opened it.
//
// The child does little, and nothing that its parent has not done before: Swift's runtime is not made for a process
// whose threads are gone. It starts no thread, reports by its exit status, and has twenty seconds.

import EchoService
import Glibc
import InteropRoutes
import TTRPC
import Testing

/// Swift hides fork().
private let forkProcess = unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)

/// Whether the body returns true in a forked child.
private func inChild(_ body: () throws -> Bool) -> Bool {
  let child = forkProcess()
  if child == 0 {
    alarm(20)
    _exit((try? body()) == true ? 0 : 1)
  }
  var status: Int32 = -1
  while waitpid(child, &status, 0) < 0 && errno == EINTR {}
  return status == 0
}

private func isForeign(_ body: () throws -> Void) -> Bool {
  do {
    try body()
    return false
  } catch {
    guard let error = error as? RPCError else { return false }
    return error.code == .failedPrecondition
      && error.message.contains("was started by the parent process: start another")
  }
}

@Suite(.serialized) struct ForkTests {
  private func echoes(_ client: Client, _ who: String, _ count: Int) throws -> Bool {
    for index in 0..<count {
      let text = "\(who) \(index)"
      guard try client.call(EchoRoutes.echo, EchoMessage(text), timeout: .seconds(10)).text == text else {
        return false
      }
    }
    return true
  }

  @Test func aChildHasAConnectionOfItsOwn() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    #expect(try echoes(client, "parent", 2))
    #expect(inChild { try echoes(client, "child", 20) && inChild { try echoes(client, "grandchild", 20) } })
    #expect(try echoes(client, "parent", 2))
    #expect(server.settles { $0.connections == 1 && $0.calls == 44 })
  }

  @Test func parentAndChildrenAtOnceGetTheirOwnReplies() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    #expect(try echoes(client, "parent", 2))
    let children = (0..<3).map { number in
      let child = forkProcess()
      if child == 0 {
        alarm(20)
        _exit((try? echoes(client, "child \(number)", 200)) == true ? 0 : 1)
      }
      return child
    }
    #expect(try echoes(client, "parent", 200))
    for child in children {
      var status: Int32 = -1
      waitpid(child, &status, 0)
      #expect(status == 0)
    }
  }

  @Test func callsOfTheParentAreRefusedAndMadeOnce() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    #expect(try echoes(client, "parent", 1))
    let begun = try client.start(EchoRoutes.echo, EchoMessage("begun"))
    #expect(
      inChild {
        client.flush()
        begun.cancel()
        let isRefused = isForeign { _ = try begun.wait() }
        return try echoes(client, "child", 1) && isRefused
      })
    #expect(try begun.wait().text == "begun")
    #expect(server.settles { $0.calls == 3 })
  }

  @Test func aStreamGoesOnInTheParentAlone() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    let stream = try client.stream(EchoRoutes.echoStream)
    try stream.send(EchoMessage("1"))
    #expect(try stream.next()?.text == "1")
    try stream.send(EchoMessage("2"))
    #expect(
      inChild {
        let isRefused = isForeign { _ = try stream.next() } && isForeign { try stream.send(EchoMessage("3")) }
        stream.closeSending()
        stream.cancel()
        client.close()
        return isRefused
      })
    #expect(try stream.next()?.text == "2")
    try stream.send(EchoMessage("4"))
    stream.closeSending()
    #expect(try stream.next()?.text == "4")
    #expect(try stream.next() == nil)
    #expect(server.server.statistics().connections == 1)
  }

  /// A child that never touches the client does not keep its connection.
  @Test func theEndOfTheParentIsSeenThoughItsChildLivesOn() throws {
    let server = try TestServer.echo()
    let client = Client(path: server.path)
    #expect(try echoes(client, "test", 1))
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    #expect(
      inChild {
        guard try echoes(client, "parent", 1) else { return false }
        guard forkProcess() == 0 else { return true }
        close(ends[1])
        var byte: UInt8 = 0
        return read(ends[0], &byte, 1) == 0
      })
    #expect(server.settles { $0.connections == 1 })
    close(ends[1])
    close(ends[0])
  }
}
