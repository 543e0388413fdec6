// Which twins there are, and how often each is chosen.

import ArgumentParser

struct TwinOptions: ParsableArguments {
  @Option(name: [.customLong("twins"), .customLong("keys")], help: ArgumentHelp("Twins.", valueName: "count"))
  var twins = 10_000
  @Option(help: ArgumentHelp("Attributes of a twin.", valueName: "count")) var attributes = 8
  @Option(help: ArgumentHelp("Bytes of a value.", valueName: "count")) var valueBytes = 24
  @Option(help: "The space that the twins are written to.") var space = "twinbench"
  @Option(
    help: ArgumentHelp("How twins are chosen: uniform, or Zipf's exponent such as 0.99.", valueName: "law"),
    transform: OptionText.keys)
  var zipf = KeyDistribution.uniform

  func validate() throws {
    try OptionText.check([
      ("--twins", twins, 1...10_000_000), ("--attributes", attributes, 1...512),
      ("--value-bytes", valueBytes, 16...65_000),
    ])
    if attributes * (valueBytes + 100) > 900_000 {
      throw ValidationError("\(attributes) attributes of \(valueBytes) bytes do not fit into a batch: use fewer")
    }
  }

  var settings: [(String, String)] {
    [
      ("twins", "\(twins)"), ("attributes", "\(attributes)"), ("value bytes", "\(valueBytes)"),
      ("keys", zipf.description),
    ]
  }
}
