// Python clients, one read at a time, client and server on one core.

import Foundation

enum PythonStage {
  static func make(_ grounds: Grounds) throws -> Stage {
    var stage = Stage("One read at a time from Python, client and server on core \(grounds.core)")
    let python: (python: String, scripts: String)
    do {
      python = try Peers.python(seconds: grounds.preparationSeconds)
    } catch {
      _ = stage.add("Python") { throw error }
      return stage
    }
    let daemon = try grounds.daemon("twind-python")
    let payloadBytes = Grounds.payloadBytes(try grounds.replyBytes(daemon))
    func contestant(_ name: String, _ kind: String, _ settings: String, _ socket: String) throws -> Contestant {
      let client = try PythonClient(kind, python, socket: socket, keyCount: grounds.keyCount, core: grounds.core)
      return Contestant(name, settings: settings) { length in try client.measure(seconds: length / .seconds(1)) }
    }
    let twind = stage.add("twind for Python") {
      try contestant("Python twind get", "twind", "client.get", daemon.socket)
    }
    let redis = stage.add("redis-py") {
      let peer = try RedisPeer(in: grounds.scratch, name: "redis-python", core: grounds.core)
      try peer.fill(["SET", grounds.key, String(repeating: "v", count: payloadBytes)], keyCount: grounds.keyCount)
      return try contestant("redis-py get", "redis", "redis.Redis(unix_socket_path)", peer.socket)
    }
    let grpc = stage.add("grpcio") {
      let socket = grounds.scratch.path("grpc.sock")
      let command = [python.python, python.scripts + "/grpc_server.py", socket, "\(payloadBytes)"]
      let child = try grounds.scratch.start("grpcio", command, core: grounds.core)
      try child.wait { FileManager.default.fileExists(atPath: socket) }
      return try contestant("grpcio unary", "grpc", "bytes unparsed, Python server with one worker", socket)
    }
    stage.compare("python-get/redis-py", twind, redis, budget: 1.0)
    stage.compare("python-get/grpcio", twind, grpc, budget: 0.4)
    return stage
  }
}
