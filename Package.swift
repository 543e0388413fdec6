// swift-tools-version: 6.2
import PackageDescription

// A target imports only targets above it in this file; Tests/TidyTests checks it.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
  name: "twind",
  products: [
    .library(name: "TTRPC", targets: ["TTRPC"]),
    .library(name: "TwinClient", targets: ["TwinClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CProtobufC", linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(name: "CTTRPCProto", dependencies: ["CProtobufC"]),
    .target(name: "CTwindProto", dependencies: ["CProtobufC"]),
    .target(name: "Threads", dependencies: ["CLinux", heap], swiftSettings: strict),
    .target(name: "TwinCore", dependencies: ["CTwindProto"], exclude: ["README.md"], swiftSettings: strict),
    .target(
      name: "TTRPC", dependencies: ["Threads", "CLinux", "CProtobufC", "CTTRPCProto", deque],
      exclude: ["README.md"], swiftSettings: strict),
    .target(
      name: "TwinStore", dependencies: ["TwinCore", "Threads", "CTwindProto", "CLinux", grdb, sqlite, deque],
      exclude: ["README.md"], swiftSettings: strict),
    .target(name: "TwinRoutes", dependencies: ["TTRPC", "CTwindProto"], swiftSettings: strict),
    .target(
      name: "TwinService",
      dependencies: [
        "TwinRoutes", "TwinStore", "TwinCore", "TTRPC", "Threads", "CTwindProto", "CLinux", logging, lifecycle, deque,
        heap,
      ],
      exclude: ["README.md"], swiftSettings: strict),
    .target(
      name: "TwinClient", dependencies: ["TwinRoutes", "TTRPC", "CProtobufC", "CTwindProto", "CTTRPCProto"],
      swiftSettings: strict),
    .target(name: "TwinText", dependencies: ["TwinClient"], exclude: ["README.md"], swiftSettings: strict),
    .executableTarget(
      name: "twind",
      dependencies: [
        "TwinService", "TwinStore", "TwinText", "TwinCore", "CLinux", arguments, configuration, logging, lifecycle,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "twinctl", dependencies: ["TwinText", "TwinClient", "TwinRoutes", "TTRPC", "CProtobufC", "CLinux", arguments],
      swiftSettings: strict),
    .target(name: "CBench", path: "Tests/Bench/CBench", linkerSettings: [.linkedLibrary("sqlite3")]),
    .executableTarget(
      name: "twinbench",
      dependencies: [
        "CBench", "TwinText", "TwinClient", "TwinRoutes", "TTRPC", "Threads", "CTwindProto", "CLinux", arguments,
        histogram,
      ],
      exclude: ["README.md"], swiftSettings: strict),

    .target(name: "CInteropProto", dependencies: ["CProtobufC"], path: "Tests/Interop/CInteropProto"),
    .target(
      name: "InteropRoutes", dependencies: ["TTRPC", "CInteropProto"], path: "Tests/Interop/Swift/Routes",
      swiftSettings: strict),
    .target(
      name: "EchoService", dependencies: ["InteropRoutes", "TTRPC", "Threads", "CInteropProto", "CLinux"],
      path: "Tests/Interop/Swift/Service", swiftSettings: strict),
    .executableTarget(
      name: "ttrpc-echo-server", dependencies: ["EchoService", "TTRPC", "CLinux"],
      path: "Tests/Interop/Swift/Server", swiftSettings: strict),
    .executableTarget(
      name: "ttrpc-echo-client", dependencies: ["EchoService", "InteropRoutes", "TTRPC"],
      path: "Tests/Interop/Swift/Client", swiftSettings: strict),
    .executableTarget(
      name: "twind-fuzz-frames", dependencies: ["EchoService", "TTRPC"], path: "Tests/Fuzz", swiftSettings: strict),
    .target(name: "CAllocations", path: "Tests/HotPath/CAllocations"),
    .executableTarget(
      name: "twind-hot-path",
      dependencies: [
        "CAllocations", "CBench", "TwinService", "TwinStore", "TwinCore", "TwinClient", "TwinRoutes", "TTRPC",
        "CTwindProto",
      ],
      path: "Tests/HotPath", exclude: ["CAllocations"], swiftSettings: strict),
    .target(
      name: "TwinFixtures", dependencies: ["TwinStore", "TwinCore", "CTwindProto"], path: "Tests/TwinFixtures",
      swiftSettings: strict),
    .target(
      name: "Simulation",
      dependencies: ["TwinFixtures", "TwinStore", "TwinCore", "Threads", "CLinux", "CTwindProto", grdb, sqlite],
      path: "Tests/Simulation", exclude: ["Command", "README.md"], swiftSettings: strict),
    .executableTarget(
      name: "twind-simulate", dependencies: ["Simulation", arguments], path: "Tests/Simulation/Command",
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests", dependencies: ["Simulation", "twind-simulate", "TwinFixtures", "TwinStore", grdb],
      swiftSettings: strict),
    .testTarget(
      name: "TTRPCTests",
      dependencies: [
        "EchoService", "InteropRoutes", "TTRPC", "Threads", "CInteropProto", "CTTRPCProto", "CProtobufC", "CLinux",
      ], swiftSettings: strict),
    .testTarget(
      name: "TwinServiceTests",
      dependencies: [
        "TwinService", "TwinStore", "TwinCore", "TwinClient", "TwinRoutes", "TTRPC", "CTwindProto", "CProtobufC",
        "CLinux", "Threads", logging,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TwinCoreTests", dependencies: ["TwinFixtures", "TwinCore", "CTwindProto"], swiftSettings: strict),
    .testTarget(
      name: "TwinStoreTests",
      dependencies: ["TwinFixtures", "TwinStore", "TwinCore", "Threads", "CTwindProto", "CLinux", grdb],
      swiftSettings: strict),
    .testTarget(
      name: "TwinClientTests", dependencies: ["TwinClient", "TwinRoutes", "TTRPC", "Threads", "CTwindProto"],
      swiftSettings: strict),
    .testTarget(name: "TwinTextTests", dependencies: ["TwinText", "TwinClient"], swiftSettings: strict),
  ]
)
