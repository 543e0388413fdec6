// All twins of a prefix, page by page.

import TTRPC
import TwinClient

struct TwinPages {
  /// Twins in one call.
  private static let pageMax = 1_000

  private let client: TwindClient
  private let prefix: String
  private let namesOnly: Bool
  private let options: ReadOptions
  private var token = ""
  private var isAtEnd = false

  init(client: TwindClient, prefix: String, namesOnly: Bool, options: ReadOptions) {
    self.client = client
    self.prefix = prefix
    self.namesOnly = namesOnly
    self.options = options
  }

  /// nil when there are no more.
  mutating func next(atMost limit: Int = .max) throws(RPCError) -> Page? {
    if isAtEnd { return nil }
    let page = try client.list(
      prefix: prefix, pageSize: min(limit, Self.pageMax), pageToken: token, namesOnly: namesOnly, options)
    if !token.isEmpty && page.nextPageToken == token {
      throw RPCError(
        .internal, "ListTwins: the server gave the page token \(token) twice and would never come to an end")
    }
    token = page.nextPageToken
    isAtEnd = token.isEmpty
    return page
  }
}
