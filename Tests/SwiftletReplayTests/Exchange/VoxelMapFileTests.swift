import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// Maps for tests.
enum TestMaps {
  /// Random voxels near the origin, some blocks of equal ones, both ends of the key range.
  static func random(seed: UInt64, count: Int = 400, spread: Int32 = 20) throws -> VoxelMap {
    var random = SeededGenerator(seed: seed)
    var voxels: [VoxelKey: Float] = [:]
    for _ in 0..<count {
      let key = VoxelKey(
        x: Int32.random(in: -spread..<spread, using: &random),
        y: Int32.random(in: -spread..<spread, using: &random),
        z: Int32.random(in: -spread..<spread, using: &random))
      voxels[key] = [-2, -0.4, 0, 0.85, 3.5][Int.random(in: 0..<5, using: &random)]
    }
    // A block of 4³ equal voxels on an octree cell, which prunes to one leaf two levels up.
    for index in 0..<64 as Range<Int32> {
      voxels[VoxelKey(x: 40 + index / 16, y: -8 + index / 4 % 4, z: index % 4)] = 0.85
    }
    voxels[VoxelKey(x: -32768, y: 32767, z: -32768)] = 3.5
    voxels[VoxelKey(x: 32767, y: -32768, z: 32767)] = -2
    return try VoxelMap(
      voxelSizeMeters: 0.2, unsorted: voxels.map { ($0.key, $0.value) })
  }
}

@Suite struct VoxelMapFileTests {
  @Test(arguments: [VoxelMapFormat.swlmap, .safetensors, .ot])
  func `formats with log-odds read back equal, and the same map gives the same bytes`(
    format: VoxelMapFormat
  ) throws {
    for map in [try TestMaps.random(seed: 1), try empty()] {
      let bytes = map.serialized(format)
      let back = try VoxelMap.parse(bytes, format, file: "test")
      #expect(back == map)
      #expect(back.serialized(format) == bytes)
    }
  }

  @Test func `.bt keeps free and occupied`() throws {
    let map = try TestMaps.random(seed: 2)
    let back = try VoxelMap.parse(map.serialized(.bt), .bt, file: "test")
    #expect(back.keys == map.keys)
    for index in map.keys.indices {
      #expect(back.isOccupied(index) == map.isOccupied(index))
      #expect(back.logOdds[index] == (map.isOccupied(index)
        ? OccupancyModel.octoMap.maximum : OccupancyModel.octoMap.minimum))
    }
    #expect(try VoxelMap.parse(try empty().serialized(.bt), .bt, file: "test").count == 0)
  }

  @Test func `a .swlmap of one voxel, byte by byte`() throws {
    let map = try VoxelMap(
      voxelSizeMeters: 0.5, keys: [VoxelKey(x: 1, y: -1, z: 258)], logOdds: [1],
      occupiedThreshold: 0.25)
    let bytes = map.serialized(.swlmap)
    #expect(bytes.count == 64)
    #expect(Array(bytes[..<16]) == [0x53, 0x57, 0x4c, 0x4d, 0x41, 0x50, 13, 10, 1, 0, 0, 0, 48, 0, 0, 0])
    #expect(Array(bytes[16..<24]) == [0, 0, 0, 0, 0, 0, 0xe0, 0x3f])
    #expect(Array(bytes[24..<40]) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3e, 0, 0, 0, 0])
    #expect(Array(bytes[48...]) == [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 2, 1, 0, 0, 0, 0, 0x80, 0x3f])
    // zlib's check value of "123456789".
    #expect(ZlibCodec.checksum(Array("123456789".utf8)) == 0xcbf4_3926)
    #expect(try VoxelMap.parse(bytes, .swlmap, file: "test").occupiedThreshold == 0.25)
  }

  @Test func `every prefix and every flipped bit of a .swlmap is an error`() throws {
    let bytes = try VoxelMap(
      voxelSizeMeters: 0.2, keys: [VoxelKey(x: 0, y: 0, z: 0), VoxelKey(x: 0, y: 0, z: 1)],
      logOdds: [1, -1]
    ).serialized(.swlmap)
    for count in 0..<bytes.count {
      #expect(throws: ExchangeError.self) {
        try VoxelMap.parse(Array(bytes.prefix(count)), .swlmap, file: "test")
      }
    }
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: ExchangeError.self, "bit \(bit)") {
        try VoxelMap.parse(damaged, .swlmap, file: "test")
      }
    }
    #expect(throws: ExchangeError.self) {
      try VoxelMap.parse(bytes + [0], .swlmap, file: "test")
    }
  }

  @Test(arguments: [VoxelMapFormat.bt, .ot])
  func `every prefix of an octree file is an error, and no random bytes trap`(
    format: VoxelMapFormat
  ) throws {
    let map = try VoxelMap(
      voxelSizeMeters: 0.2, keys: [VoxelKey(x: 0, y: 0, z: 0), VoxelKey(x: 5, y: -3, z: 1)],
      logOdds: [1, -1])
    let bytes = map.serialized(format)
    for count in 0..<bytes.count {
      #expect(throws: ExchangeError.self) {
        try VoxelMap.parse(Array(bytes.prefix(count)), format, file: "test")
      }
    }
    var random = SeededGenerator(seed: 9)
    let body = try #require(bytes.firstRange(of: Array("data\n".utf8))).upperBound
    for _ in 0..<2000 {
      var damaged = bytes
      for _ in 0..<3 {
        damaged[Int.random(in: body..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let map = try? OctreeReader.parse(damaged, file: "test", maximumVoxelCount: 4096) {
        #expect(map.count <= 4096)
      }
    }
    // A leaf at depth 1 would be 2^45 voxels.
    let header = "# Octomap OcTree binary file\nid OcTree\nsize 2\nres 0.1\ndata\n"
    let error = #expect(throws: ExchangeError.self) {
      try VoxelMap.parse(Array(header.utf8) + [1, 0], .bt, file: "test")
    }
    #expect(error?.found == "a leaf of 32768^3")
  }

  @Test(arguments: [
    ("", "a header that ends in a line data"), ("# other\ndata\n", "# Octomap OcTree …"),
    ("# Octomap OcTree file\nid ColorOcTree\nsize 0\nres 1\ndata\n", "id OcTree"),
    ("# Octomap OcTree file\nid OcTree\nsize -1\nres 1\ndata\n", "a node count"),
    ("# Octomap OcTree file\nid OcTree\nsize 0\nres nan\ndata\n", "a resolution above 0"),
    ("# Octomap OcTree file\nid OcTree\nsize 1\nres 1\ndata\n", "4 bytes of a node"),
  ])
  func `an octree header that cannot be used says what is missing`(
    text: String, expected: String
  ) {
    let error = #expect(throws: ExchangeError.self) {
      try VoxelMap.parse(Array(text.utf8), .ot, file: "test")
    }
    #expect(error?.expected == expected)
  }

  @Test func `points are the centres of occupied voxels`() throws {
    let map = try VoxelMap(
      voxelSizeMeters: 0.5,
      keys: [VoxelKey(x: -1, y: 0, z: 2), VoxelKey(x: 0, y: 0, z: 0), VoxelKey(x: 3, y: 0, z: 0)],
      logOdds: [0, -0.1, 2])
    let points: [Float] = [-0.25, 0.25, 1.25, 0, 1.75, 0.25, 0.25, 2]
    for (format, ending) in [(VoxelMapFormat.ply, "end_header\n"), (.pcd, "DATA binary\n")] {
      let bytes = map.serialized(format)
      #expect(Array(bytes.suffix(32)) == floatBytes(points))
      let header = String(decoding: bytes.dropLast(32), as: UTF8.self)
      #expect(header.hasSuffix(ending))
      #expect(header.contains(format == .ply ? "element vertex 2\n" : "POINTS 2\n"))
    }
    #expect(throws: ExchangeError.self) { try VoxelMap.parse([], .ply, file: "test.ply") }
    #expect(throws: ExchangeError.self) { try VoxelMapFormat(path: "map.xyz") }
  }

  @Test func `a map that is none is an error`() throws {
    let key = VoxelKey(x: 0, y: 0, z: 0)
    #expect(throws: InputError.self) {
      try VoxelMap(voxelSizeMeters: 0.2, keys: [key, key], logOdds: [0, 0])
    }
    #expect(throws: InputError.self) { try VoxelMap(voxelSizeMeters: 0, keys: [], logOdds: []) }
    #expect(throws: InputError.self) { try VoxelMap(voxelSizeMeters: 1, keys: [key], logOdds: []) }
    #expect(throws: InputError.self) {
      try VoxelMap(voxelSizeMeters: 1, keys: [key], logOdds: [.nan])
    }
    #expect(throws: InputError.self) {
      try VoxelMap(voxelSizeMeters: 1, keys: [VoxelKey(x: 40_000, y: 0, z: 0)], logOdds: [0])
    }
  }

  private func empty() throws -> VoxelMap {
    try VoxelMap(voxelSizeMeters: 0.1, keys: [], logOdds: [])
  }
}
