import Swiftlet

/// OctoMap's octree files (AbstractOcTree.cpp, OccupancyOcTreeBase.hxx, OcTreeBaseImpl.hxx): a text
/// header, then the nodes of a tree of depth 16 in pre-order, children by x + 2y + 4z.
///
/// Eight equal leaves are written as their parent, as OctoMap prunes.
struct OctreeWriter {
  static let depth = 16

  /// `.bt`: two bits a child, free 01, occupied 10, inner 11 (low bit first); log-odds are lost.
  static func binaryTree(_ map: VoxelMap) -> [UInt8] {
    var writer = OctreeWriter(map)
    if map.count > 0 { writer.writeBinary(0..<map.count, depth: 0) }
    return header("# Octomap OcTree binary file", map, writer.nodeCount) + writer.bytes
  }

  /// `.ot`: float32 log-odds and one bit a child for each node; inner nodes hold their maximum.
  static func fullTree(_ map: VoxelMap) -> [UInt8] {
    var writer = OctreeWriter(map)
    if map.count > 0 { _ = writer.writeFull(0..<map.count, depth: 0) }
    return header("# Octomap OcTree file", map, writer.nodeCount) + writer.bytes
  }

  private static func header(_ first: String, _ map: VoxelMap, _ nodeCount: Int) -> [UInt8] {
    let text = """
      \(first)
      # (feel free to add / change comments, but leave the first line as it is!)
      #
      id OcTree
      size \(nodeCount)
      res \(map.voxelSizeMeters)
      data

      """
    return Array(text.utf8)
  }

  /// Path from the root, three bits a level (z, y, x), so that a node's voxels are a range.
  private let paths: [UInt64]
  private let values: [Float]
  private let threshold: Float
  private var bytes: [UInt8] = []
  private var nodeCount = 0

  private init(_ map: VoxelMap) {
    let all = zip(map.keys.map(Self.path), map.logOdds).sorted { $0.0 < $1.0 }
    paths = all.map(\.0)
    values = all.map(\.1)
    threshold = map.occupiedThreshold
  }

  static func path(_ key: VoxelKey) -> UInt64 {
    spread(key.x) | spread(key.y) << 1 | spread(key.z) << 2
  }
  /// Bit i of an index to bit 3i.
  private static func spread(_ index: Int32) -> UInt64 {
    var bits = UInt64(UInt32(bitPattern: index &+ 32768) & 0xffff)
    bits = (bits | bits << 16) & 0x0000_ff00_00ff
    bits = (bits | bits << 8) & 0x00f0_0f00_f00f
    bits = (bits | bits << 4) & 0x0c30_c30c_30c3
    return (bits | bits << 2) & 0x2492_4924_9249
  }

  /// The voxels of each child of an inner node.
  private func children(_ range: Range<Int>, depth: Int) -> [Range<Int>] {
    let shift = UInt64(3 * (Self.depth - 1 - depth))
    var ranges: [Range<Int>] = []
    var lower = range.lowerBound
    for child in 0..<8 {
      let upper = child == 7 ? range.upperBound : partition(lower..<range.upperBound) {
        Int(paths[$0] >> shift & 7) <= child
      }
      ranges.append(lower..<upper)
      lower = upper
    }
    return ranges
  }

  /// The first index of a range that is partitioned by `isBefore` where it is false.
  private func partition(_ range: Range<Int>, _ isBefore: (Int) -> Bool) -> Int {
    var (lower, upper) = (range.lowerBound, range.upperBound)
    while lower < upper {
      let middle = (lower + upper) / 2
      if isBefore(middle) { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }

  /// Whether a node at `depth` holds all its voxels and all are alike, so that it is a leaf.
  private func isLeaf(_ range: Range<Int>, depth: Int, alike: (Float, Float) -> Bool) -> Bool {
    guard range.count == 1 << (3 * (Self.depth - depth)) else { return false }
    return range.allSatisfy { alike(values[$0], values[range.lowerBound]) }
  }

  private mutating func writeBinary(_ range: Range<Int>, depth: Int) {
    nodeCount += 1
    let ranges = children(range, depth: depth)
    let limit = threshold
    var bits: UInt16 = 0
    var inner: [Range<Int>] = []
    for (child, part) in ranges.enumerated() where !part.isEmpty {
      let isLeaf = isLeaf(part, depth: depth + 1) { ($0 >= limit) == ($1 >= limit) }
      if isLeaf {
        nodeCount += 1
        bits |= (values[part.lowerBound] >= limit ? 2 : 1) << UInt16(2 * child)
      } else {
        bits |= 3 << UInt16(2 * child)
        inner.append(part)
      }
    }
    bytes.append(littleEndian: bits)
    for part in inner { writeBinary(part, depth: depth + 1) }
  }

  /// Returns the node's value.
  private mutating func writeFull(_ range: Range<Int>, depth: Int) -> Float {
    nodeCount += 1
    if isLeaf(range, depth: depth, alike: { $0.bitPattern == $1.bitPattern }) {
      bytes.append(bitsOf: values[range.lowerBound])
      bytes.append(0)
      return values[range.lowerBound]
    }
    let place = bytes.count
    bytes += [0, 0, 0, 0, 0]
    var largest = -Float.infinity
    var exists: UInt8 = 0
    for (child, part) in children(range, depth: depth).enumerated() where !part.isEmpty {
      exists |= 1 << UInt8(child)
      largest = max(largest, writeFull(part, depth: depth + 1))
    }
    var node: [UInt8] = []
    node.append(bitsOf: largest)
    bytes.replaceSubrange(place..<place + 5, with: node + [exists])
    return largest
  }
}
