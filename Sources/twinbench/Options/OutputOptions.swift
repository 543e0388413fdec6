// Where the figures go.

import ArgumentParser

struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object.") var json = false
  @Option(help: ArgumentHelp("Write a page that a browser shows.", valueName: "file.html")) var report: String?
}

/// Of commands with one series of latencies.
struct LogOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write an HdrHistogram interval log.", valueName: "file")) var hdrLog: String?
}
