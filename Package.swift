// swift-tools-version: 6.2
import PackageDescription

// A target imports only targets above it in this file; Tests/TidyTests checks it.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
  name: "twind",
  products: [
    .library(name: "TTRPC", targets: ["TTRPC"])
  ],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
  ],
  targets: [
    .target(name: "CSystem"),
    .target(name: "CProtobufC", linkerSettings: [.linkedLibrary("protobuf-c")]),
    .target(name: "CTTRPCProto", dependencies: ["CProtobufC"]),
    .target(name: "CTwindProto", dependencies: ["CProtobufC"]),
    .target(name: "TwinCore", dependencies: ["CTwindProto"], swiftSettings: strict),
    .target(name: "TTRPC", dependencies: ["CSystem", "CProtobufC", "CTTRPCProto"], swiftSettings: strict),
    .target(
      name: "TwinStore", dependencies: ["TwinCore", "CTwindProto", "CSystem", grdb, deque], swiftSettings: strict),

    .testTarget(
      name: "TTRPCTests", dependencies: ["CProtobufC", "CSystem", "CTTRPCProto", "TTRPC"], swiftSettings: strict),
  ]
)
