// twind-simulate check-history

import ArgumentParser
import FoundationEssentials
import Simulation

struct CheckHistory: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Is there an order that explains what agents saw?",
    discussion: """
      FILE holds one event a line, as it happened:

        {"agent":"a1","event":"invoke","on":"acme/customer/7 plan",
         "do":"write","value":"17"}
        {"agent":"a1","event":"ok"}
        {"agent":"a2","event":"invoke","on":"acme/customer/7 plan","do":"read"}
        {"agent":"a2","event":"ok","value":"17"}

      (each on one line.) do: read, write, or swap with "expected". After invoke
      comes ok, fail (it certainly had no effect) or unknown, or nothing, which is
      unknown too. Values are texts or whole numbers; null or left out = absent.
      Every register is checked by itself, and begins absent.

      EXAMPLES
        twind-simulate check-history events.ndjson
        zcat events.ndjson.gz | twind-simulate check-history -
      """)

  @Argument(help: "The file, or - for standard input.") var file: String

  func run() throws {
    var log = RegisterLog()
    let lines = try text().split(separator: "\n")
    do throws(RegisterLog.Malformed) {
      for line in lines { try log.read(line) }
    } catch {
      throw ValidationError("\(file): \(error)")
    }
    let found = log.contradictions()
    for (register, reason) in found { print("\(register): \(reason)") }
    print(
      "\(log.operations) operations, \(log.names.count) registers, \(found.count) contradictions")
    if !found.isEmpty { throw ExitCode.failure }
  }

  private func text() throws -> String {
    if file == "-" { return sequence(state: ()) { _ in readLine(strippingNewline: false) }.joined() }
    guard let data = try? Data(contentsOf: URL(filePath: file)) else {
      throw ValidationError("\(file) cannot be read: name a file with one event a line")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
