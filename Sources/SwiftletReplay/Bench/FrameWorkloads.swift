import Swiftlet

/// Whole frames: six cameras' features and depth, a 124k-point scan and fusion, as `FramePipeline`
/// does them.
public enum FrameWorkloads {
  public static let all: [BenchmarkWorkload] = [
    frame("frame-default-0.4", voxelSizeMeters: 0.4),
    frame("frame-default-0.2", voxelSizeMeters: 0.2),
    // D of the goals: M0, a scan at 0.2 m and the fusion of camera, LiDAR and history.
    frame("frame-d", voxelSizeMeters: 0.2),
  ] + StandardFrames.all

  private static func frame(_ name: String, voxelSizeMeters: Double) -> BenchmarkWorkload {
    BenchmarkWorkload(name: name, category: "frame") { engine, pool, _ in
      var configuration = PipelineConfiguration()
      configuration.occupancy.voxelSizeMeters = voxelSizeMeters
      return try FrameWorkload(configuration, engine, pool)
    }
  }
}

/// One pipeline driving along the made-up street of the occupancy workloads, scan after scan.
final class FrameWorkload: PreparedWorkload {
  private let configuration: PipelineConfiguration
  private let pipeline: FramePipeline
  private let cameras: [CameraInput]
  /// Own the views of `cameras` and of the scans.
  private let features: AlignedBuffer<Float>
  private let depth: AlignedBuffer<Float>
  private let points: [AlignedBuffer<Float>]
  private let frames: [SensorFrame]
  private var next = 0

  init(_ configuration: PipelineConfiguration, _ engine: Engine, _ pool: WorkerPool) throws {
    self.configuration = configuration
    pipeline = try FramePipeline(configuration: configuration, engine: engine, pool: pool)
    let (rows, columns) = (16, 44)
    let bins = configuration.depth.binCount
    features = AlignedBuffer(count: 6 * rows * columns * configuration.channelCount)
    depth = AlignedBuffer(count: 6 * bins * rows * columns)
    var numbers = SeededNumbers(seed: 1)
    numbers.fill(features, in: -1...1)
    numbers.fill(depth, in: 0...0.03)
    cameras = Self.cameras(
      features, depth, channels: configuration.channelCount, bins: bins, rows: rows,
      columns: columns)
    let scans = OccupancyWorkloads.scans
    points = scans.map { AlignedBuffer($0.points) }
    frames = Self.frames(scans, points, cameras)
    try pipeline.prepare(for: frames[0])
  }

  private static func cameras(
    _ features: AlignedBuffer<Float>, _ depth: AlignedBuffer<Float>, channels: Int, bins: Int,
    rows: Int, columns: Int
  ) -> [CameraInput] {
    let rig = ProjectionRig.cameras(
      augmentation: ProjectionRig.bevDetAugmentation, networkWidth: 704, networkHeight: 256)
    return rig.enumerated().map { index, camera in
      let cells = rows * columns
      return CameraInput(
        name: "camera \(index)", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
        intrinsics: camera.intrinsics, egoFromCamera: camera.egoFromCamera,
        keyEgoFromCamera: camera.egoFromCamera, augmentation: camera.augmentation,
        networkWidthPixels: 704, networkHeightPixels: 256,
        features: unsafe TensorView(
          base: features.pointer + index * cells * channels, elementType: .float32,
          shape: (rows, columns, channels)),
        depth: unsafe TensorView(
          base: depth.pointer + index * cells * bins, elementType: .float32,
          shape: (bins, rows, columns)))
    }
  }

  private static func frames(
    _ scans: [OccupancyStreet.Scan], _ points: [AlignedBuffer<Float>], _ cameras: [CameraInput]
  ) -> [SensorFrame] {
    let egoFromLidar = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0, 0, 1.85))
    return scans.indices.map { index in
      let scan = scans[index]
      let view = unsafe PointCloudView(
        base: points[index].pointer, count: scan.pointCount, byteStride: 16)
      return SensorFrame(
        timestampNanoseconds: Int64(index) * 100_000_000,
        worldFromEgo: scan.worldFromLidar * egoFromLidar.inverse, resetsHistory: index == 0,
        cameras: cameras,
        lidars: [
          LidarInput(
            name: "lidar", timestampNanoseconds: Int64(index) * 100_000_000, ageNanoseconds: 0,
            isValid: true, points: view, egoFromLidar: egoFromLidar,
            worldFromLidar: scan.worldFromLidar)
        ])
    }
  }

  /// Not counted: most of a frame is table look-ups, so the roof is that of memory.
  let floatingPointOperations = 0.0
  /// Inputs once, three maps written and read once.
  var bytesMoved: Double {
    let map = pipeline.grid.cellCount * configuration.channelCount * 4
    return Double(features.count * 4 + depth.count * 4 + points[0].count * 4 + 6 * map)
  }

  func run() {
    // The frames are the workload's own: a refusal would show in the verification.
    try? pipeline.process(frames[next])
    next = (next + 1) % frames.count
  }

  /// Two frames from the start, against the scalar reference.
  func verificationFailure() -> String? {
    do {
      let reference = try FramePipeline(
        configuration: configuration, engine: .reference, pool: WorkerPool(threadCount: 1))
      pipeline.reset()
      for frame in frames.prefix(2) {
        try reference.process(frame)
        try pipeline.process(frame)
        if let difference = Self.difference(pipeline, reference) { return difference }
      }
      pipeline.reset()
      next = 0
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// What the stages made, in their order, so that the first wrong one is named.
  private static func difference(_ got: FramePipeline, _ expected: FramePipeline) -> String? {
    if let camera = got.cameraBEV, let other = expected.cameraBEV,
      let found = difference("camera", camera, other)
    {
      return found
    }
    let (found, wanted) = (got.occupancy?.occupiedCount, expected.occupancy?.occupiedCount)
    guard found == wanted else {
      return "occupied voxels: expected \(wanted ?? 0), found \(found ?? 0)"
    }
    return difference("LiDAR", got.lidarBEV, expected.lidarBEV)
      ?? difference("fused", got.fusedBEV, expected.fusedBEV)
  }

  /// Sums of up to 2,000 terms in another order differ by at most 2,000 · 2⁻²⁴ of the map's
  /// largest value; validity is equal or wrong.
  private static func difference(
    _ map: String, _ got: BEVResult, _ expected: BEVResult
  ) -> String? {
    let (a, b) = (got.features, expected.features)
    let largest = (0..<b.count).reduce(Float(0)) { max($0, abs(b[$1])) }
    let bound = 2_000 * 0x1p-24 * largest
    let wrong = (0..<b.count).filter { !(abs(a[$0] - b[$0]) <= bound) }
    if let index = wrong.first {
      let (cell, channel) = index.quotientAndRemainder(dividingBy: got.channels)
      return "\(map) map, cell \(cell), channel \(channel): expected \(b[index]) within \(bound), "
        + "found \(a[index]); \(wrong.count) values differ"
    }
    let cell = (0..<expected.validity.count).first { got.validity[$0] != expected.validity[$0] }
    return cell.map { "\(map) map, validity of cell \($0): expected \(expected.validity[$0])" }
  }
}
