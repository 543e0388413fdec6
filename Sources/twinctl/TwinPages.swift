// Reads all twins with a prefix, page by page.

import TTRPC
import TwinClient

struct TwinPages {
  /// The most twins in one call.
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

  /// nil if there are no more.
  mutating func next(atMost limit: Int = .max) throws(RPCError) -> Page? {
    if isAtEnd { return nil }
    let page = try client.list(
      prefix: prefix, pageSize: min(limit, Self.pageMax), pageToken: token, namesOnly: namesOnly, options)
    if !token.isEmpty && page.nextPageToken == token {
      throw RPCError(
        .internal, "ListTwins: the server returned the page token \(token) twice, so the list would never end")
    }
    token = page.nextPageToken
    isAtEnd = token.isEmpty
    return page
  }
}
