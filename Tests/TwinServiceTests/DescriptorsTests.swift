// What the limit of open files leaves for connections.

import Testing
import TwinService

@Suite struct DescriptorsTests {
  @Test func whatFitsIsHad() throws {
    let plan = try Descriptors(asked: nil, others: 100, hardLimit: 1_124)
    #expect(plan.connectionsMax == 1_024 && plan.needed == 1_124 && plan.warning == nil)
    let asked = try Descriptors(asked: 16_384, others: 100, hardLimit: .max)
    #expect(asked.connectionsMax == 16_384 && asked.needed == 16_484 && asked.warning == nil)
  }

  @Test func theDefaultIsLoweredWithAWarning() throws {
    let plan = try Descriptors(asked: nil, others: 100, hardLimit: 1_024)
    #expect(plan.connectionsMax == 924 && plan.needed == 1_024)
    let warning = try #require(plan.warning)
    #expect(warning.contains("924") && warning.contains("1024") && warning.contains("1124"))
  }

  @Test func whatWasAskedForIsNotLowered() throws {
    let failure = #expect(throws: Daemon.Failure.self) {
      try Descriptors(asked: 1_000, others: 100, hardLimit: 1_024)
    }
    let text = try #require(failure).description
    #expect(text.contains("--connections-max 924 or less") && text.contains("1100"))
    #expect(try Descriptors(asked: 924, others: 100, hardLimit: 1_024).warning == nil)
  }

  @Test func noRoomForOneConnectionIsAnError() throws {
    let failure = #expect(throws: Daemon.Failure.self) { try Descriptors(asked: nil, others: 100, hardLimit: 100) }
    #expect(try #require(failure).description.contains("1124"))
    #expect(try Descriptors(asked: nil, others: 100, hardLimit: 101).connectionsMax == 1)
  }
}
