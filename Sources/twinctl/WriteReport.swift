// Prints the result of a write.

import TwinClient
import TwinText

enum WriteReport {
  static func show(_ result: WriteResult, _ name: String, _ done: String, json: Bool) throws(Failure) {
    let revision = result.revisions.first ?? 0
    guard json else {
      let what = result.factCount == 0 ? "nothing changed" : "\(done), \(result.durability.name)"
      return try Terminal.print("\(DisplayText.line(name))  revision \(revision)  \(what)")
    }
    var object = JSONObject()
    object.add("name", name)
    object.add("revision", revision)
    object.add("sequence", result.sequence)
    object.add("fact_count", result.factCount)
    object.add("durability", result.durability.name)
    try Terminal.print(object.text)
  }

  static func facts(_ count: Int) -> String { FixedText.count(count, "fact") }
}
