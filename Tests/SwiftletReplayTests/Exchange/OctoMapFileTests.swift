import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// `Tests/oracles/octomap_files.cpp`, compiled against the system's OctoMap once.
private enum OctoMapJudge {
  static let path: String? = {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("oracles/octomap_files.cpp").path
    let program = NSTemporaryDirectory() + "swiftlet-octomap-files-\(getpid())"
    guard FileManager.default.fileExists(atPath: "/usr/include/octomap/octomap.h") else { return nil }
    let status = try? run("/usr/bin/g++", ["-O1", "-o", program, source, "-loctomap", "-loctomath"])
    return status == 0 ? program : nil
  }()

  static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}

/// Skipped where liboctomap-dev and g++ are not installed.
@Suite(.enabled(if: OctoMapJudge.path != nil)) struct OctoMapFileTests {
  @Test(arguments: [VoxelMapFormat.bt, .ot], [1, 2, 3] as [UInt64])
  func `OctoMap reads what we write, equal`(format: VoxelMapFormat, seed: UInt64) throws {
    let folder = try TemporaryFolder()
    let map = try TestMaps.random(seed: seed, count: 3000)
    try folder.write("map.\(format.rawValue)", map.serialized(format))
    #expect(try judge("read", folder.path + "/map.\(format.rawValue)", folder.path + "/voxels") == 0)
    let back = try voxels(try folder.read("voxels"))
    #expect(back.voxelSizeMeters == map.voxelSizeMeters)
    #expect(back.keys == map.keys)
    if format == .ot {
      #expect(back.logOdds == map.logOdds)
    } else {
      #expect(zip(back.logOdds, map.logOdds).allSatisfy { ($0 >= 0) == ($1 >= 0) })
    }
  }

  @Test(arguments: [VoxelMapFormat.bt, .ot], [4, 5] as [UInt64])
  func `we read what OctoMap writes, and write the same bytes`(
    format: VoxelMapFormat, seed: UInt64
  ) throws {
    let folder = try TemporaryFolder()
    // OctoMap clamps to its own range; −2 and 3.5 are its nearest float32 neighbours.
    let map = try TestMaps.random(seed: seed, count: 3000)
    var bytes: [UInt8] = []
    bytes.append(bitsOf: map.voxelSizeMeters)
    bytes.append(littleEndian: Int64(map.count))
    for index in map.keys.indices {
      for value in [map.keys[index].x, map.keys[index].y, map.keys[index].z] {
        bytes.append(littleEndian: value)
      }
      bytes.append(bitsOf: map.logOdds[index])
    }
    try folder.write("voxels", bytes)
    let file = "octomap.\(format.rawValue)"
    #expect(try judge("write", folder.path + "/voxels", "\(folder.path)/\(file)") == 0)
    let back = try VoxelMap.read("\(folder.path)/\(file)")
    #expect(back.keys == map.keys)
    let model = OccupancyModel.octoMap
    for index in map.keys.indices {
      let clamped = min(max(map.logOdds[index], model.minimum), model.maximum)
      #expect(
        format == .ot ? back.logOdds[index] == clamped : back.isOccupied(index) == map.isOccupied(index))
    }
    // Node for node the same tree: everything after the header is equal.
    let theirs = try folder.read(file)
    let ours = back.serialized(format)
    let data = Array("data\n".utf8)
    let theirStart = try #require(theirs.firstRange(of: data)).upperBound
    let ourStart = try #require(ours.firstRange(of: data)).upperBound
    #expect(theirs[theirStart...] == ours[ourStart...])
  }

  private func judge(_ verb: String, _ input: String, _ output: String) throws -> Int32 {
    try OctoMapJudge.run(try #require(OctoMapJudge.path), [verb, input, output])
  }

  private func voxels(_ bytes: [UInt8]) throws -> VoxelMap {
    var cursor = ByteCursor(bytes, file: "voxels")
    let size = try cursor.double("a size")
    let count = try cursor.integer(Int64.self, "a count")
    var voxels: [(key: VoxelKey, logOdds: Float)] = []
    for _ in 0..<count {
      let x = try cursor.integer(Int32.self, "x")
      let y = try cursor.integer(Int32.self, "y")
      let z = try cursor.integer(Int32.self, "z")
      voxels.append((VoxelKey(x: x, y: y, z: z), try cursor.float("log-odds")))
    }
    return try VoxelMap(voxelSizeMeters: size, unsorted: voxels)
  }
}
