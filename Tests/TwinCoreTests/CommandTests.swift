import CTwindProto
import Testing
import TwinCore
import TwinFixtures

/// What is refused before any state is looked at.
@Suite struct CommandTests {
  private let scene = Scene()
  private var requests: Requests { scene.requests }

  private func refused(_ changes: [ChangePointer], _ word: String, _ code: StatusCode = .invalidArgument) {
    let error = scene.failure(changes)
    #expect(error?.code == code)
    #expect(error?.message.contains(word) == true, "\(String(describing: error))")
    #expect(scene.image == nil)
  }

  @Test func changes() {
    refused([requests.set("Email", .int(1))], "\"Email\"")
    refused([requests.change("a")], "does nothing")
    refused([requests.remove("a", false)], "the remove field of \"a\" is false")
    refused([requests.set("a", .none)], "no kind")
    refused([requests.increment("a", .none)], "no kind")
    refused([requests.increment("a", .string("1"))], "int_value or a double_value")
    refused([requests.set("a", .double(.nan))], "finite")
    refused([requests.set("a", .double(.infinity))], "finite")
    refused([requests.increment("a", .double(-.infinity))], "finite")
    refused([requests.set("a", .list([.double(.nan)]))], "finite")
    refused([requests.set("a", .list([.int(1), .none]))], "element 1")
    refused([requests.set("a", .int(1), from: 10, to: 10)], "valid_to_time must be above")
    refused([requests.set("a", .int(1)), requests.set("b", .int(2)), requests.remove("a")], "\"a\" appears twice")
    for confidence in [-0.1, 1.1, .nan, .infinity] {
      refused([requests.set("a", .int(1), confidence: confidence)], "confidence")
    }
    refused([requests.set("a", .int(1), evidence: "x\ny")], "control")
  }

  @Test func limits() {
    let long = requests.set("a", .int(1), evidence: String(repeating: "e", count: 129))
    #expect(scene.failure([long])?.detail == .limit(name: "evidenceBytesMax", maximum: 128, actual: 129))
    let large = requests.set("a", .string(String(repeating: "v", count: 65_536)))
    let error = scene.failure([large])
    #expect(error?.code == .resourceExhausted)
    #expect(error?.detail == .limit(name: "valueBytesMax", maximum: 65_536, actual: 65_540))
    let fits = requests.set("a", .string(String(repeating: "v", count: 65_536 - 4)))
    #expect(scene.failure([fits]) == nil)
    let many = (0...1_000).map { requests.set("a\($0)", .int(1)) }
    #expect(scene.failure(many)?.detail == .limit(name: "changesMax", maximum: 1_000, actual: 1_001))
  }

  @Test func unknownFieldsAreNotSilentlyLost() {
    let change = requests.set("a", .int(1))
    change.pointee.set.pointee.base.n_unknown_fields = 1
    refused([change], "does not know")
  }

  private func batchFailure(
    _ updates: [UnsafeMutablePointer<Twind__V1__UpdateTwinRequest>], key: String = ""
  ) -> TwinError? {
    do throws(TwinError) {
      _ = try Command(batch: requests.batch(updates, key: key), agent: Text(requests.text("agent")))
      return nil
    } catch {
      return error
    }
  }

  @Test func batches() {
    let one = requests.update("a/b/1", [requests.set("x", .int(1))])
    let other = requests.update("c/b/2", [requests.set("x", .int(1))])
    #expect(batchFailure([one, other]) == nil)
    #expect(batchFailure([])?.message.contains("no requests") == true)
    #expect(batchFailure([one, other, one])?.message.contains("\"a/b/1\" appears twice") == true)
    #expect(batchFailure([one, other], key: "k")?.message.contains("in the same space") == true)
    #expect(batchFailure([one], key: String(repeating: "k", count: 65))?.code == .invalidArgument)
    let keyed = requests.update("a/b/3", [], key: "k")
    #expect(batchFailure([keyed])?.message.contains("idempotency_key is set for \"a/b/3\"") == true)
    let purposed = requests.update("a/b/3", [], purpose: "p")
    #expect(batchFailure([purposed])?.message.contains("purpose is set") == true)
    let many = (0..<257).map { requests.update("a/b/\($0)", []) }
    #expect(batchFailure(many)?.detail == .limit(name: "batchTwinsMax", maximum: 256, actual: 257))
    let hundred = (0..<100).map { requests.set("a\($0)", .int(1)) }
    let eleven = (0..<11).map { requests.update("a/b/\($0)", hundred) }
    #expect(batchFailure(eleven)?.detail == .limit(name: "changesMax", maximum: 1_000, actual: 1_100))
  }

  @Test func unknownDurability() {
    let request = requests.update("a/b/1", [requests.set("x", .int(1))])
    request.pointee.durability = Twind__V1__Durability(rawValue: 9)
    #expect(throws: TwinError.self) { try Command(update: request, agent: Text(requests.text("agent"))) }
  }
}
