import CSwiftlet
import Foundation
import Swiftlet
import SwiftletC
import SwiftletReplay
import SwiftletTestSupport
import Testing

@Suite struct FrameExporterTests {
  /// Two cameras with features, one LiDAR, on a way around a bend.
  private final class Drive {
    let features: AlignedBuffer<Float>
    let depth: AlignedBuffer<Float>
    let points: AlignedBuffer<Float>
    let radar: AlignedBuffer<Float>
    let known: AlignedBuffer<UInt8>
    private let mounts = [1.0, -1.0].map { sign in
      RigidTransform(
        rotation: Matrix3(SIMD3(0, 0, sign), SIMD3(-sign, 0, 0), SIMD3(0, -1, 0)),
        translation: SIMD3(sign, 0, 1.6))
    }

    init() {
      var random = SeededGenerator(seed: 5)
      features = AlignedBuffer(random.floats(2 * 4 * 11 * 32))
      depth = AlignedBuffer(random.floats(2 * 7 * 4 * 11, in: 0...1))
      points = AlignedBuffer(random.floats(601 * 4, in: -7...7))
      radar = AlignedBuffer(random.floats(20 * 20 * 32))
      known = AlignedBuffer(random.floats(400, in: 0...1).map { $0 < 0.6 ? 1 : 0 })
    }

    /// A radar map of another pose, none in frame 1; a prior that knows every cell in frame 3.
    private func maps(_ index: Int, _ pose: RigidTransform) -> [BEVMapInput] {
      let features = TensorView(
        base: radar.pointer, elementType: .float32, shape: (20, 20, 32))
      var earlier = pose
      earlier.translation.x -= 0.5
      var maps: [BEVMapInput] = []
      if index == 3 {
        maps.append(
          BEVMapInput(kind: .mapPrior, name: "prior", features: features, worldFromEgo: .identity))
      }
      if index != 1 {
        maps.append(
          BEVMapInput(
            kind: .radar, name: "radar", isValid: index != 2, ageNanoseconds: 30_000_000,
            features: features,
            validity: TensorView(base: known.pointer, elementType: .uint8, shape: (1, 20, 20)),
            worldFromEgo: earlier))
      }
      return maps
    }

    func frame(_ index: Int) -> SensorFrame {
      let angle = 0.02 * Double(index)
      let pose = RigidTransform(
        rotation: Quaternion(w: Foundation.cos(angle / 2), x: 0, y: 0, z: Foundation.sin(angle / 2)),
        translation: SIMD3(20 * Foundation.sin(angle), 20 - 20 * Foundation.cos(angle), 0))
      let time = Int64(index) * 100_000_000
      var cameras: [CameraInput] = []
      for (position, mount) in mounts.enumerated() {
        var camera = CameraInput(
          name: "CAM_\(position)", timestampNanoseconds: time - 5_000_000, ageNanoseconds: 5_000_000,
          isValid: !(index == 2 && position == 1),
          intrinsics: CameraIntrinsics(
            focalX: 90, focalY: 91, centerX: 88, centerY: 32,
            lens: .brownConrady([0.1, -0.05, 0.001, 0.002, 0.01]), widthPixels: 176,
            heightPixels: 64),
          egoFromCamera: mount, keyEgoFromCamera: mount, networkWidthPixels: 176,
          networkHeightPixels: 64)
        if camera.isValid {
          camera.features = TensorView(
            base: features.pointer + position * 4 * 11 * 32, elementType: .float32,
            shape: (4, 11, 32))
          camera.depth = TensorView(
            base: depth.pointer + position * 7 * 4 * 11, elementType: .float32, shape: (7, 4, 11))
        }
        cameras.append(camera)
      }
      var cloud = PointCloudView(base: points.pointer, count: 601, byteStride: 16)
      cloud.intensityByteOffset = 12
      let lidar = LidarInput(
        name: "LIDAR", timestampNanoseconds: time, ageNanoseconds: 0, isValid: true, points: cloud,
        egoFromLidar: .identity, worldFromLidar: pose)
      return SensorFrame(
        timestampNanoseconds: time, worldFromEgo: pose, resetsHistory: index == 0, cameras: cameras,
        lidars: [lidar], bevMaps: maps(index, pose))
    }
  }

  private var configuration: PipelineConfiguration {
    var c = PipelineConfiguration()
    c.channelCount = 32
    c.grid.lowerMeters = SIMD3(-8, -8, -10)
    c.grid.upperMeters = SIMD3(8, 8, 10)
    c.depth.upperMeters = 8
    c.occupancy.extentMeters = SIMD3(16, 16, 6.4)
    c.occupancy.maximumRangeMeters = 7
    return c
  }

  private func makeProcessor() throws -> PipelineProcessor {
    PipelineProcessor(
      pipeline: try FramePipeline(configuration: configuration, pool: WorkerPool(threadCount: 1)),
      weightsName: "default weights")
  }

  /// The digests of frames run as the replay runs them.
  private func replayed(_ drive: Drive, _ count: Int) throws -> [UInt64] {
    let processor = try makeProcessor()
    let digest = OutputDigest()
    var all: [UInt64] = []
    for index in 0..<count {
      var frame = drive.frame(index)
      for stage in processor.stages.indices { try processor.run(stage: stage, on: &frame) }
      processor.forEachOutput { digest.add(name: $0, bytes: $1) }
      all.append(digest.endFrame())
    }
    return all + [digest.run]
  }

  /// The same through exported files and the C interface.
  private func linked(_ folder: URL, _ count: Int) throws -> [UInt64] {
    let json = try Data(contentsOf: folder.appendingPathComponent("pipeline.json"))
    var pipeline: OpaquePointer?
    var options = swiftlet_options()
    swiftlet_options_init(&options)
    try json.withUnsafeBytes { text in
      options.configuration = text.baseAddress?.assumingMemoryBound(to: CChar.self)
      options.configuration_size = text.count
      try #require(swiftlet_pipeline_create(&options, &pipeline, nil) == 0)
    }
    defer { swiftlet_pipeline_destroy(pipeline) }
    var digest: OpaquePointer?
    try #require(swiftlet_digest_create(&digest, nil) == 0)
    defer { swiftlet_digest_destroy(digest) }
    try withFile(folder, "rig.safetensors") { file in
      var rig: UnsafePointer<swiftlet_rig>?
      try #require(swiftlet_frame_file_rig(file, &rig, nil) == 0)
      try #require(swiftlet_pipeline_set_rig(pipeline, rig, nil) == 0)
    }
    var all: [UInt64] = []
    for index in 0..<count {
      try withFile(folder, "frame-00000\(index).safetensors") { file in
        var frame: UnsafePointer<swiftlet_frame>?
        try #require(swiftlet_frame_file_frame(file, &frame, nil) == 0)
        try #require(swiftlet_pipeline_process(pipeline, frame, nil) == 0)
        var value: UInt64 = 0
        try #require(swiftlet_digest_add(digest, pipeline, &value, nil) == 0)
        all.append(value)
      }
    }
    var run: UInt64 = 0
    try #require(swiftlet_digest_value(digest, &run, nil) == 0)
    return all + [run]
  }

  private func withFile(
    _ folder: URL, _ name: String, _ body: (OpaquePointer?) throws -> Void
  ) throws {
    let data = try Data(contentsOf: folder.appendingPathComponent(name))
    try data.withUnsafeBytes { bytes in
      var file: OpaquePointer?
      try #require(swiftlet_frame_file_open(bytes.baseAddress, bytes.count, &file, nil) == 0)
      defer { swiftlet_frame_file_destroy(file) }
      try body(file)
    }
  }

  @Test func `exported frames give the C interface the replay's digest, frame by frame`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-export-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let drive = Drive()
    let exporter = try FrameExporter(processor: makeProcessor(), folder: folder)
    for index in 0..<4 { try exporter.write(drive.frame(index), index: index) }
    let expected = try replayed(drive, 4)
    #expect(Set(expected).count == 5)
    #expect(try linked(folder, 4) == expected)
  }
}
