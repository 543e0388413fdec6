// What each peer of a comparison needs, and how it is got.

import Foundation

/// A peer that cannot take part.
struct Missing: Error, CustomStringConvertible {
  let peer: String
  let why: String

  var description: String { "\(peer): \(why)" }
}

enum Peers {
  static let redisPackage = "install it with apt-get install redis-server"
  static let goPackages = "install it with apt-get install golang-go golang-github-containerd-ttrpc-dev"

  static func redis() throws -> String {
    guard let path = Tool.find("redis-server") else { throw Missing(peer: "Redis", why: redisPackage) }
    return path
  }

  /// Builds the ttrpc server in Go from the checkout; what was built before is kept in its `.build-bench`.
  static func goServer(seconds: Double) throws -> String {
    guard let go = Tool.find("go"), let library = goLibrary else { throw Missing(peer: "Go ttrpc", why: goPackages) }
    let (sources, build) = try folders("Go ttrpc")
    let program = build + "/go-ttrpc"
    do {
      // Debian keeps Go sources as one GOPATH tree, and Go finds them there only with modules off.
      _ = try Tool.run(
        [go, "build", "-o", program, "."], in: sources + "/go",
        environment: ["GO111MODULE": "off", "GOPATH": library, "GOFLAGS": "", "GOCACHE": build + "/go-cache"],
        seconds: seconds)
    } catch {
      throw Missing(peer: "Go ttrpc", why: "\(error); twinbench peers builds it")
    }
    return program
  }

  private static var goLibrary: String? {
    ["/usr/share/gocode"].first { FileManager.default.fileExists(atPath: $0 + "/src/github.com/containerd/ttrpc") }
  }

  /// The Python of an environment with redis-py, grpcio and twind's client; made once, in the checkout's `.build-bench`.
  static func python(seconds: Double) throws -> (python: String, scripts: String) {
    guard let system = Tool.find("python3") else {
      throw Missing(peer: "Python", why: "install it with apt-get install python3 python3-venv")
    }
    let (sources, build) = try folders("Python")
    let environment = build + "/python"
    let python = environment + "/bin/python"
    let done = environment + "/complete"
    if !FileManager.default.fileExists(atPath: done) {
      let client = (sources as NSString).deletingLastPathComponent + "/../clients/python"
      do {
        _ = try Tool.run([system, "-m", "venv", environment], seconds: seconds)
        _ = try Tool.run(
          [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "redis", "grpcio", client],
          seconds: seconds)
        try "".write(toFile: done, atomically: true, encoding: .utf8)
      } catch {
        throw Missing(peer: "Python", why: "\(error); twinbench peers prepares redis, grpcio and twind from PyPI")
      }
    }
    return (python, sources + "/python")
  }

  private static func folders(_ peer: String) throws -> (sources: String, build: String) {
    guard let checkout = Tool.checkout else {
      throw Missing(peer: peer, why: "its sources, Tests/Bench, are not above this program: run it in the checkout")
    }
    let build = checkout + "/.build-bench"
    try FileManager.default.createDirectory(atPath: build, withIntermediateDirectories: true)
    return (checkout + "/Tests/Bench", build)
  }
}
