import Foundation
import Swiftlet

/// Reads OctoMap's `.bt` and `.ot` files of id OcTree; pruned leaves are expanded to voxels.
struct OctreeReader {
  /// The most voxels a file may expand to (2 GB of keys and values): a damaged leaf near the root
  /// would claim billions.
  static let defaultMaximumVoxelCount = 1 << 27

  private let maximumVoxelCount: Int
  private var cursor: ByteCursor
  private var voxels: [(key: VoxelKey, logOdds: Float)] = []
  private var nodeCount = 0

  /// `.bt` voxels get OctoMap's clamping values: −2 (ln of 0.1192's odds) and 3.5.
  static func parse(
    _ bytes: [UInt8], file: String, maximumVoxelCount: Int = defaultMaximumVoxelCount
  ) throws(ExchangeError) -> VoxelMap {
    let header = try Header(bytes, file: file)
    var reader = OctreeReader(
      maximumVoxelCount: maximumVoxelCount,
      cursor: ByteCursor(bytes, file: file, offset: header.dataOffset))
    if header.nodeCount > 0 {
      if header.isBinary {
        try reader.readBinary(corner: SIMD3(0, 0, 0), depth: 0)
      } else {
        try reader.readFull(corner: SIMD3(0, 0, 0), depth: 0)
      }
    }
    guard reader.nodeCount == header.nodeCount, reader.cursor.remaining == 0 else {
      throw ExchangeError(
        file: file, byteOffset: reader.cursor.offset,
        expected: "\(header.nodeCount) nodes and the file's end",
        found: "\(reader.nodeCount) nodes and \(reader.cursor.remaining) bytes",
        remedy: "write the file again: it is damaged")
    }
    let sorted = reader.voxels.sorted { $0.key < $1.key }
    return try VoxelMap(
      file: file, voxelSizeMeters: header.resolution, keys: sorted.map(\.key),
      logOdds: sorted.map(\.logOdds))
  }

  private struct Header {
    var isBinary = false
    var nodeCount = 0
    var resolution = 0.0
    var dataOffset = 0

    init(_ bytes: [UInt8], file: String) throws(ExchangeError) {
      func failure(_ expected: String, _ found: String) -> ExchangeError {
        ExchangeError(
          file: file, byteOffset: 0, expected: expected, found: found,
          remedy: "give a .bt or .ot file of an OcTree")
      }
      var fields: [String: String] = [:]
      var lines = 0
      while true {
        guard let end = bytes[dataOffset...].prefix(1024).firstIndex(of: 10) else {
          throw failure("a header that ends in a line data", "none in \(lines) lines")
        }
        let line = String(decoding: bytes[dataOffset..<end], as: UTF8.self)
          .trimmingCharacters(in: .whitespaces)
        dataOffset = end + 1
        if lines == 0 {
          guard line.hasPrefix("# Octomap OcTree") else { throw failure("# Octomap OcTree …", line) }
          isBinary = line.hasPrefix("# Octomap OcTree binary file")
        }
        lines += 1
        if line == "data" { break }
        let parts = line.split(separator: " ")
        if !line.hasPrefix("#"), parts.count >= 2 { fields[String(parts[0])] = String(parts[1]) }
      }
      guard fields["id"] == "OcTree" else { throw failure("id OcTree", fields["id"] ?? "none") }
      guard let size = fields["size"].flatMap({ Int($0) }), size >= 0 else {
        throw failure("a node count", fields["size"] ?? "none")
      }
      guard let res = fields["res"].flatMap({ Double($0) }), res > 0, res.isFinite else {
        throw failure("a resolution above 0", fields["res"] ?? "none")
      }
      nodeCount = size
      resolution = res
    }
  }

  private mutating func readBinary(corner: SIMD3<Int32>, depth: Int) throws(ExchangeError) {
    try enter(depth)
    let bits = try cursor.integer(UInt16.self, "a node")
    for child in 0..<8 {
      let state = bits >> UInt16(2 * child) & 3
      guard state == 1 || state == 2 else { continue }
      nodeCount += 1
      let value = state == 2 ? OccupancyModel.octoMap.maximum : OccupancyModel.octoMap.minimum
      try fill(at: childCorner(corner, child, depth), depth: depth + 1, value)
    }
    for child in 0..<8 where bits >> UInt16(2 * child) & 3 == 3 {
      try readBinary(corner: childCorner(corner, child, depth), depth: depth + 1)
    }
  }

  private mutating func readFull(corner: SIMD3<Int32>, depth: Int) throws(ExchangeError) {
    nodeCount += 1
    let value = try cursor.float("a node")
    let exists = try cursor.integer(UInt8.self, "a node")
    if exists == 0 { return try fill(at: corner, depth: depth, value) }
    try check(depth)
    for child in 0..<8 where exists >> UInt8(child) & 1 == 1 {
      try readFull(corner: childCorner(corner, child, depth), depth: depth + 1)
    }
  }

  private mutating func enter(_ depth: Int) throws(ExchangeError) {
    nodeCount += 1
    try check(depth)
  }

  private func check(_ depth: Int) throws(ExchangeError) {
    guard depth < OctreeWriter.depth else {
      throw ExchangeError(
        file: cursor.file, byteOffset: cursor.offset, expected: "leaves at depth 16",
        found: "a node with children there", remedy: "write the file again: it is damaged")
    }
  }

  private func childCorner(_ corner: SIMD3<Int32>, _ child: Int, _ depth: Int) -> SIMD3<Int32> {
    let step = Int32(1) << Int32(OctreeWriter.depth - 1 - depth)
    return corner &+ SIMD3(
      Int32(child & 1) * step, Int32(child >> 1 & 1) * step, Int32(child >> 2 & 1) * step)
  }

  private mutating func fill(
    at corner: SIMD3<Int32>, depth: Int, _ value: Float
  ) throws(ExchangeError) {
    let edge = 1 << (OctreeWriter.depth - depth)
    guard edge <= 512, voxels.count + edge * edge * edge <= maximumVoxelCount else {
      throw ExchangeError(
        file: cursor.file, byteOffset: cursor.offset,
        expected: "at most \(maximumVoxelCount) voxels", found: "a leaf of \(edge)^3",
        remedy: "crop the map, or write the file again if it is damaged")
    }
    let base = corner &- SIMD3(repeating: 32768)
    for x in 0..<Int32(edge) {
      for y in 0..<Int32(edge) {
        for z in 0..<Int32(edge) {
          voxels.append((VoxelKey(x: base.x + x, y: base.y + y, z: base.z + z), value))
        }
      }
    }
  }
}
