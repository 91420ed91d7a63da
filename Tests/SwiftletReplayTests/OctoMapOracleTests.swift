import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// OctoMap itself as a program: built once from Tests/oracles, or given by SWIFTLET_OCTOMAP_ORACLE.
enum OctoMapOracle {
  struct Scan {
    var origin: SIMD3<Float>
    var points: [SIMD3<Float>]
  }
  enum Failure: Error { case failed(String) }

  /// The program's path; nil where OctoMap is not installed.
  static let path: String? = {
    if let given = ProcessInfo.processInfo.environment["SWIFTLET_OCTOMAP_ORACLE"] { return given }
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("oracles/octomap_oracle.cpp").path
    let program = FileManager.default.temporaryDirectory
      .appendingPathComponent("octomap_oracle_\(ProcessInfo.processInfo.processIdentifier)").path
    let status = try? run(
      "/usr/bin/env", ["g++", "-O2", source, "-o", program, "-loctomap", "-loctomath"])
    return status == 0 ? program : nil
  }()
  static let isRequired = ProcessInfo.processInfo.environment["CI"] == "true"

  private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// OctoMap's known voxels at the finest depth, sorted by x, y, z.
  static func map(
    _ scans: [Scan], voxel: Double, range: Double, mode: Int32 = 0
  ) throws -> [(key: VoxelKey, logOdds: Float)] {
    guard let path else { throw Failure.failed("no OctoMap: install liboctomap-dev and g++") }
    let base = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let input = base.appendingPathExtension("in")
    let output = base.appendingPathExtension("out")
    defer {
      try? FileManager.default.removeItem(at: input)
      try? FileManager.default.removeItem(at: output)
    }
    var bytes = Data()
    func put<T: BitwiseCopyable>(_ value: T) { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
    put(voxel)
    put(range)
    put(mode)
    put(Int32(scans.count))
    for scan in scans {
      for axis in 0..<3 { put(scan.origin[axis]) }
      put(Int32(scan.points.count))
      for point in scan.points { for axis in 0..<3 { put(point[axis]) } }
    }
    try bytes.write(to: input)
    guard try run(path, [input.path, output.path]) == 0 else { throw Failure.failed("the oracle stopped") }
    let result = try Data(contentsOf: output)
    let count = Int(result.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) })
    var voxels: [(key: VoxelKey, logOdds: Float)] = result.withUnsafeBytes { raw in
      (0..<count).map { index in
        let at = 8 + 16 * index
        func key(_ axis: Int) -> Int32 {
          raw.loadUnaligned(fromByteOffset: at + 4 * axis, as: Int32.self)
        }
        return (
          VoxelKey(x: key(0), y: key(1), z: key(2)),
          raw.loadUnaligned(fromByteOffset: at + 12, as: Float.self)
        )
      }
    }
    voxels.sort { $0.key < $1.key }
    return voxels
  }
}

@Suite struct OctoMapOracleTests {
  @Test(.enabled(if: OctoMapOracle.isRequired))
  func `OctoMap is there where it must be`() {
    #expect(OctoMapOracle.path != nil, "install liboctomap-dev and g++")
  }

  @Test(
    .enabled(if: OctoMapOracle.path != nil, "needs liboctomap-dev and g++"),
    arguments: [(0.2, -1.0, 0), (0.1, 6, 0), (0.37, 12, 0), (0.4, 9, 1), (0.4, -1, 2)] as [(Double, Double, Int32)])
  func `random scans give OctoMap's map, voxel for voxel and bit for bit`(
    voxel: Double, range: Double, mode: Int32
  ) throws {
    for seed: UInt64 in 1...4 {
      var generator = SeededGenerator(seed: seed)
      let scans = (0..<3).map { _ in
        let origin = generator.floats(3, in: -3...3)
        return OctoMapOracle.Scan(
          origin: SIMD3(origin[0], origin[1], origin[2] * 0.3),
          points: (0..<400).map { index in
            let p = SIMD3(generator.floats(3, in: -15...15)) * SIMD3(1, 1, 0.2)
            return index % 4 == 0 ? (p / Float(voxel)).rounded(.toNearestOrEven) * Float(voxel) : p
          })
      }
      let expected = try OctoMapOracle.map(scans, voxel: voxel, range: range, mode: mode)
      for engine in [Engine.reference, .best] {
        let map = ReferenceOccupancyMap(
          voxelSizeMeters: voxel, engine: engine, pool: WorkerPool(threadCount: 2))
        for scan in scans {
          if mode == 2 {
            map.insertRays(worldPoints: scan.points, origin: scan.origin)
          } else {
            map.insert(
              worldPoints: scan.points, origin: scan.origin, maximumRangeMeters: range,
              isDiscretized: mode == 1)
          }
        }
        expectEqual(map.knownVoxels(), expected, "\(engine) seed \(seed)")
      }
    }
  }

  @Test(
    .enabled(if: OctoMapOracle.path != nil, "needs liboctomap-dev and g++"),
    .enabled(
      if: ProcessInfo.processInfo.environment["SWIFTLET_DATA"] != nil,
      "needs the recordings that SWIFTLET_DATA names"),
    arguments: ["00_orb_slam2.txt", "00_kiss_icp.txt"])
  func `the map of the KITTI odometry scans is OctoMap's, voxel for voxel`(poses: String) throws {
    let data = try #require(ProcessInfo.processInfo.environment["SWIFTLET_DATA"])
    let folder = "\(data)/kitti-odometry-layout"
    let recording = try RecordingOpener.open(
      path: folder,
      options: RecordingOptions(keepsEgoBodyPoints: true, posesFile: "\(folder)/poses/\(poses)"))
    var scans: [OctoMapOracle.Scan] = []
    for index in 0..<recording.frameCount {
      let frame = try recording.loadFrame(index)
      for lidar in frame.sensorFrame.lidars { scans.append(worldScan(lidar)) }
    }
    #expect(scans.count == 4)
    let built = try MapBuilder(
      options: MapOptions(), engine: .best, pool: WorkerPool(threadCount: 2)
    ).build(recording)
    let expected = try OctoMapOracle.map(scans, voxel: 0.2, range: 50)
    let keysAgree = built.keys == expected.flatMap { [$0.key.x, $0.key.y, $0.key.z] }
    let valuesAgree = built.logOdds.map(\.bitPattern) == expected.map(\.logOdds.bitPattern)
    #expect(keysAgree)
    #expect(valuesAgree)
    #expect(expected.count > 900_000)
  }

  /// A scan in world, each point rounded once, written here a second time on purpose.
  private func worldScan(_ lidar: LidarInput) -> OctoMapOracle.Scan {
    let matrix = lidar.worldFromLidar.rowMajor4x4
    let points = (0..<lidar.points.count).map { index in
      let p = SIMD3<Double>(
        Double(lidar.points.value(index, lidar.points.xByteOffset)),
        Double(lidar.points.value(index, lidar.points.yByteOffset)),
        Double(lidar.points.value(index, lidar.points.zByteOffset)))
      func axis(_ row: Int) -> Float {
        let sum = (matrix[4 * row] * p.x + matrix[4 * row + 1] * p.y) + matrix[4 * row + 2] * p.z
        return Float(sum + matrix[4 * row + 3])
      }
      return SIMD3(axis(0), axis(1), axis(2))
    }
    return OctoMapOracle.Scan(
      origin: SIMD3(Float(matrix[3]), Float(matrix[7]), Float(matrix[11])), points: points)
  }

  private func expectEqual(
    _ got: [(key: VoxelKey, logOdds: Float)], _ expected: [(key: VoxelKey, logOdds: Float)],
    _ comment: String
  ) {
    let keysAgree = got.map(\.key) == expected.map(\.key)
    let valuesAgree = got.map(\.logOdds.bitPattern) == expected.map(\.logOdds.bitPattern)
    #expect(keysAgree, "\(comment): \(got.count) voxels, expected \(expected.count)")
    #expect(valuesAgree, "\(comment)")
  }
}
