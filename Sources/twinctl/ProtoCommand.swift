// twinctl proto

import ArgumentParser
import Glibc
import TwinText

struct ProtoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proto",
    abstract: "Write the .proto files of this version, for clients in other languages.",
    discussion: """
      The daemon speaks ttrpc, not gRPC: use a ttrpc library, such as containerd's
      for Go or the ttrpc crate for Rust. twind/v1/ has the services, ttrpc/ the
      envelope, and grpc/health/v1/ the health check. Existing files are replaced.

      EXAMPLES
        twinctl proto --out ./proto
        ttrpcurl --proto ./proto/twind/v1/twin_service.proto \\
          -d '{"name": "acme/customer/42"}' ./twind.sock TwinService.GetTwin
      """)

  @Option(help: "The directory to write to; created if it does not exist.") var out: String

  func run() throws {
    for file in protoFiles {
      let path = "\(out)/\(file.path)"
      try Self.makeDirectories(of: path)
      try Self.write(file.text, to: path)
      try Terminal.print(path)
    }
  }

  private static func makeDirectories(of path: String) throws(Failure) {
    var directory = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/").dropLast() {
      directory += "/\(part)"
      if mkdir(directory, 0o777) != 0 && errno != EEXIST { throw Failure.system("create the directory \(directory)") }
    }
  }

  private static func write(_ text: String, to path: String) throws(Failure) {
    guard let file = fopen(path, "we") else { throw Failure.system("write \(path)") }
    let isWritten = fputs(text, file) >= 0
    if fclose(file) != 0 || !isWritten { throw Failure.system("write \(path)") }
  }
}
