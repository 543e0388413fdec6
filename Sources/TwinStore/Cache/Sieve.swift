// Which twin to drop next: SIEVE (Zhang, Yang, Yue, Vigfusson, Rashmi, NSDI 2024).
//
// A queue in the order of arrival with one hand. A hit only marks; the hand walks from the oldest to the newest, spares
// and unmarks what was marked since it last came by, and drops the first that was not. Reads write one byte and move
// nothing. Nodes lie in one array and are found by number.

import TwinCore

struct Sieve {
  private struct Node {
    var image: Unmanaged<TwinImage.Storage>?
    var newer: Int32
    var older: Int32
  }

  /// What the hand is told of a twin.
  enum Verdict {
    /// It may go.
    case drop
    /// It was read since the hand came by; its mark is off now.
    case spare
  }

  private static let none: Int32 = -1
  private var nodes: [Node] = []
  /// The first of the free nodes, linked by `older`.
  private var free = Sieve.none
  private var newest = Sieve.none
  private var oldest = Sieve.none
  /// The next to be looked at; none = the oldest.
  private var hand = Sieve.none

  /// Adds the newest twin and returns its number.
  mutating func insert(_ image: Unmanaged<TwinImage.Storage>) -> Int32 {
    let node = Node(image: image, newer: Sieve.none, older: newest)
    let number: Int32
    if free != Sieve.none {
      number = free
      free = nodes[Int(number)].older
      nodes[Int(number)] = node
    } else {
      number = Int32(nodes.count)
      nodes.append(node)
    }
    if newest != Sieve.none { nodes[Int(newest)].newer = number } else { oldest = number }
    newest = number
    return number
  }

  /// Another image of the same twin.
  mutating func replace(_ number: Int32, with image: Unmanaged<TwinImage.Storage>) { nodes[Int(number)].image = image }

  private mutating func remove(_ number: Int32) {
    let node = nodes[Int(number)]
    if node.newer != Sieve.none { nodes[Int(node.newer)].older = node.older } else { newest = node.older }
    if node.older != Sieve.none { nodes[Int(node.older)].newer = node.newer } else { oldest = node.newer }
    nodes[Int(number)] = Node(image: nil, newer: Sieve.none, older: free)
    free = number
  }

  /// Walks at most `steps` twins and takes the first that may go out of the queue; nil when none was found.
  mutating func next(steps: Int, _ judge: (Unmanaged<TwinImage.Storage>) -> Verdict) -> Unmanaged<TwinImage.Storage>? {
    for _ in 0..<steps {
      let number = hand == Sieve.none ? oldest : hand
      guard number != Sieve.none, let image = nodes[Int(number)].image else { return nil }
      hand = nodes[Int(number)].newer
      if judge(image) == .drop {
        remove(number)
        return image
      }
    }
    return nil
  }
}
