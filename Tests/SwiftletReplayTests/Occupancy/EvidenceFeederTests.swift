import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// What each source of evidence does to a window, against voxels worked out by hand.
@Suite struct EvidenceFeederTests {
  private static let time = NuScenesBuilder.start * 1000

  private func options(_ sources: Set<EvidenceSource>, voxel: Double = 0.5) -> QueryOptions {
    var options = QueryOptions()
    options.voxelSizeMeters = voxel
    options.maximumRangeMeters = 30
    options.mode = .exact
    options.frameCount = 1
    options.evidence.sources = sources
    return options
  }
  private func window(
    _ path: String, _ sources: Set<EvidenceSource>, voxel: Double = 0.5,
    _ change: (inout EvidenceFeeder.Settings) -> Void = { _ in }
  ) throws -> QueryWindow {
    var options = options(sources, voxel: voxel)
    change(&options.evidence)
    return try QueryWindow.read(
      path, options: options, engine: .best, pool: WorkerPool(threadCount: 1))
  }
  private func recording() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try NuScenesBuilder().write(to: folder)
    return folder
  }
  private func known(_ grid: OccupancyGrid) -> [VoxelKey: Float] {
    var known: [VoxelKey: Float] = [:]
    grid.forEachKnown { key, _, _ in known[key] = grid.logOdds(key) }
    return known
  }
  private func occupied(_ grid: OccupancyGrid) -> Set<VoxelKey> {
    var keys: Set<VoxelKey> = []
    grid.forEachOccupied { key, _, _ in keys.insert(key) }
    return keys
  }
  private func write(_ folder: TemporaryFolder, _ name: String, _ tensors: [String: HostTensor])
    throws
  {
    try folder.write(
      "network_outputs/\(name).safetensors",
      SafeTensors(tensors: tensors, metadata: [:]).serialized())
  }
  private func rounded(_ logOdds: Float, _ grid: OccupancyGrid) -> Float {
    (logOdds * grid.stepsPerUnit).rounded() / grid.stepsPerUnit
  }

  @Test func `the LiDAR's points outside the own car are hits`() throws {
    let folder = try recording()
    let window = try window(folder.path, [.lidar])
    // The sensor stands 1.8 m above the ego, which is the world's origin at the first frame.
    let hits = [SIMD3<Float>(10, 0, -1), SIMD3(20, 3, -1), SIMD3(-15, 2, 0.5)].map { p in
      window.grid.key(ofWorld: SIMD3<Double>(SIMD3<Float>(p.x, p.y, Float(Double(p.z) + 1.8))))
    }
    #expect(occupied(window.grid) == Set(hits))
    #expect(window.evidence?.counts == [.lidar: EvidenceCount(frameCount: 1, itemCount: 3)])
    #expect(window.evidence?.text == "lidar: 1 frames, 3 points")
  }

  @Test func `without their files the other sources change nothing`() throws {
    let folder = try recording()
    let plain = try window(folder.path, [.lidar])
    let all = try window(folder.path, Set(EvidenceSource.allCases))
    #expect(known(plain.grid) == known(all.grid) && known(plain.grid).count > 100)
    #expect(all.evidence?.counts.keys.sorted { $0.rawValue < $1.rawValue } == [.lidar])
    let none = try window(folder.path, [.depth, .radar, .occupancy])
    #expect(known(none.grid).isEmpty)
  }

  @Test(arguments: [false, true])
  func `camera depth hits at the middle of the likeliest bin`(areLogits: Bool) throws {
    let folder = try recording()
    // Four bins of 2 m from 1 m on, two pixels side by side: the left sees 6 m, the right 2 m.
    var depth: [Float] = [0, 1, 0, 0, 1, 0, 0, 0]
    if areLogits { depth = depth.map { 20 * $0 - 3 } }
    try folder.write(
      "network_outputs/CAM_FRONT/\(Self.time + 10_000_000).safetensors",
      SafeTensors(
        tensors: [areLogits ? "depth_logits" : "depth": HostTensor(depth, shape: [4, 1, 2])],
        metadata: [
          "network_width": "64", "network_height": "48", "augmentation": "1 0 0 1 0 0",
        ]
      ).serialized())
    let window = try window(folder.path, [.depth]) {
      ($0.depthLowerMeters, $0.depthStepMeters) = (1, 2)
    }
    // The camera is 1.5 m ahead, 1.6 m up, and 10 ms at 5 m/s later; the pixels' middles are 16 left
    // and right of the axis at a focal length of 50. The likeliest bin of the left is the third.
    let left = window.grid.key(ofWorld: SIMD3(1.55 + 6, 6 * 16 / 50, 1.6))
    let right = window.grid.key(ofWorld: SIMD3(1.55 + 2, -2 * 16 / 50, 1.6))
    #expect(occupied(window.grid) == [left, right])
    for key in [left, right] {
      #expect(window.grid.logOdds(key) == rounded(OccupancyModel.cameraDepth.hit, window.grid))
    }
    #expect(window.evidence?.counts[.depth] == EvidenceCount(frameCount: 1, itemCount: 2))
    #expect(window.grid.state(window.grid.key(ofWorld: SIMD3(4.55, 0.96, 1.6))) == .free)
  }

  @Test func `a radar point hits the arc of its beam and frees its cone`() throws {
    let folder = try recording()
    let point = SIMD3(12.3, 4.1, 0.6)
    try write(
      folder, "RADAR/\(Self.time)",
      ["points": HostTensor(point.floats, shape: [1, 3])])
    let window = try window(folder.path, [.radar])
    let range = (point * point).sum().squareRoot()
    let azimuth = atan2(point.y, point.x)
    let grid = window.grid
    #expect(occupied(grid).contains(grid.key(ofWorld: point)))
    grid.forEachOccupied { key, center, _ in
      // Within half a voxel's diagonal of the arc.
      #expect(abs((center * center).sum().squareRoot() - range) < 0.44, "\(key)")
      #expect(abs(atan2(center.y, center.x) - azimuth) * range < 0.03 * range + 0.44, "\(key)")
      #expect(grid.logOdds(key) == rounded(OccupancyModel.radar.hit, grid))
    }
    #expect(occupied(grid).count >= 4, "the beam is 2.6 m high there")
    #expect(grid.state(grid.key(ofWorld: point / 2)) == .free)
    #expect(window.evidence?.counts == [.radar: EvidenceCount(frameCount: 1, itemCount: 1)])
  }

  @Test func `a logit reaches the voxels whose middles lie in its cell`() throws {
    let folder = try recording()
    var logits = [Float](repeating: 0, count: 200 * 200 * 16)
    logits[(120 * 200 + 90) * 16 + 5] = 2
    try write(
      folder, "OCCUPANCY/\(Self.time)", ["logits": HostTensor(logits, shape: [200, 200, 16])])
    let window = try window(folder.path, [.occupancy], voxel: 0.2)
    // x from 8 to 8.4, y from -4 to -3.6, z from 1 to 1.4 m.
    var expected: [VoxelKey: Float] = [:]
    for x in [40, 41] as [Int32] {
      for y in [-20, -19] as [Int32] {
        for z in [5, 6] as [Int32] {
          expected[VoxelKey(x: x, y: y, z: z)] = rounded(0.5, window.grid)
        }
      }
    }
    #expect(known(window.grid) == expected)
    #expect(window.evidence?.counts == [.occupancy: EvidenceCount(frameCount: 1, itemCount: 8)])
  }

  @Test func `the file nearest in time counts, within 100 ms, whatever else lies there`() throws {
    let folder = try recording()
    func radar(_ milliseconds: Int64, _ x: Double) throws {
      try write(
        folder, "RADAR/\(Self.time + milliseconds * 1_000_000)",
        ["points": HostTensor(SIMD3(x, 0.2, 0.6).floats, shape: [1, 3])])
    }
    // Differences to these names would overflow.
    for name in ["-9223372036854775808", "9223372036854775807", "notes"] {
      try folder.write("network_outputs/RADAR/\(name).safetensors", "x")
    }
    try radar(-150, 10)
    #expect(known(try window(folder.path, [.radar]).grid).isEmpty)
    try radar(90, 14)
    try radar(-60, 6)
    let grid = try window(folder.path, [.radar]).grid
    #expect(grid.state(grid.key(ofWorld: SIMD3(6, 0.2, 0.6))) == .occupied)
    #expect(grid.state(grid.key(ofWorld: SIMD3(14, 0.2, 0.6))) == .unknown)
  }

  @Test func `outputs are found where the recording is, not where its path points`() throws {
    let folder = try recording()
    try write(
      folder, "RADAR/\(Self.time)",
      ["points": HostTensor(SIMD3(6.0, 0.2, 0.6).floats, shape: [1, 3])])
    let window = try window(folder.path + "/v1.0-mini", [.radar])
    #expect(window.evidence?.counts[.radar]?.itemCount == 1)
  }

  @Test func `a file that cannot be read costs its own source, not the frame`() throws {
    let folder = try recording()
    try write(folder, "OCCUPANCY/\(Self.time)", ["other": HostTensor([1] as [Float], shape: [1])])
    try folder.write("network_outputs/RADAR/\(Self.time).safetensors", "no tensors")
    let plain = try window(folder.path, [.lidar])
    let damaged = try window(folder.path, [.lidar, .radar, .occupancy])
    #expect(damaged.frameCount == 1)
    #expect(!known(plain.grid).isEmpty && known(damaged.grid) == known(plain.grid))
    let new = damaged.warnings.filter { !plain.warnings.contains($0) }
    #expect(new.count == 1 && new.first?.contains("RADAR/\(Self.time).safetensors") == true)
  }

  @Test func `files of another shape are errors that name file and tensor`() throws {
    let folder = try recording()
    let frame = try RecordingOpener.open(path: folder.path).loadFrame(0)
    func error(_ source: EvidenceSource) throws -> RecordingError? {
      var settings = EvidenceFeeder.Settings()
      settings.sources = [source]
      let grid = try OccupancyGrid(
        configuration: QueryWindow.configuration(options([source])), engine: .best,
        pool: WorkerPool(threadCount: 1))
      return #expect(throws: RecordingError.self) {
        try frame.withSensorFrame {
          try EvidenceFeeder(path: folder.path, settings: settings).insert($0, into: grid)
        }
      }
    }
    try write(
      folder, "RADAR/\(Self.time)", ["points": HostTensor([1, 2] as [Float], shape: [1, 2])])
    let radar = try error(.radar)
    #expect(radar?.record == "points" && radar?.file.hasSuffix("\(Self.time).safetensors") == true)
    try write(
      folder, "OCCUPANCY/\(Self.time)", ["logits": HostTensor([1] as [Float], shape: [1, 1, 1])])
    #expect(try error(.occupancy)?.expected.contains("[200, 200, 16]") == true)
    try write(folder, "OCCUPANCY/\(Self.time)", ["other": HostTensor([1] as [Float], shape: [1])])
    #expect(try error(.occupancy)?.found == "other")
    try folder.write("network_outputs/RADAR/\(Self.time).safetensors", "no tensors")
    #expect(try error(.radar) != nil)
  }
}

extension SIMD3<Double> {
  fileprivate var floats: [Float] { [Float(x), Float(y), Float(z)] }
}
