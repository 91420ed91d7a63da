/// Which camera a voxel seen by several takes its feature from: Fast-BEV's three rules.
public enum VoxelOverlap: String, Sendable, BitwiseCopyable, CaseIterable {
  /// Later cameras overwrite earlier ones, halves round to even: Fast-BEV's Python.
  case last
  /// The first valid camera wins, halves round away from zero: its C++ CPU path.
  case first
  /// The mean over the valid cameras, halves to even: its "vanilla" variant.
  case mean
}

/// Pulls features into voxels through a look-up table (Fast-BEV): every voxel reads the pixel its
/// lower corner projects to. The table depends on the calibration only.
///
/// Cameras may differ in size; a missing camera is passed over. Owns its buffers: nothing
/// allocates after `init`.
public final class VoxelPull {
  public let cameras: [FrustumLayout.Camera]
  public let sizeX: Int
  public let sizeY: Int
  public let sizeZ: Int
  public let channels: Int
  public let overlap: VoxelOverlap
  public let engine: Engine
  let pool: WorkerPool
  /// [x][y][z][channel]; voxels no valid camera sees are 0.
  public let volume: AlignedBuffer<Float>
  /// [x][y][z]: the feature token read, -1 for none; for `mean` the number of cameras instead.
  public let indices: AlignedBuffer<Int32>
  /// [camera][x][y][z]: each camera's token.
  let tables: AlignedBuffer<Int32>
  let featureStarts: [Int]
  private let geometry = AlignedBuffer<Double>(count: 18)
  private var resolvedCameras: CameraSet?

  public init(
    cameras: [FrustumLayout.Camera], sizeX: Int, sizeY: Int, sizeZ: Int, channels: Int,
    overlap: VoxelOverlap, engine: Engine, pool: WorkerPool
  ) {
    precondition((1...16).contains(cameras.count), "\(cameras.count) cameras; 1 to 16 are possible")
    precondition(
      sizeX > 0 && sizeY > 0 && sizeZ > 0 && channels > 0,
      "a volume of \(sizeX)×\(sizeY)×\(sizeZ)×\(channels) is empty")
    self.cameras = cameras
    self.sizeX = sizeX
    self.sizeY = sizeY
    self.sizeZ = sizeZ
    self.channels = channels
    self.overlap = overlap
    self.engine = engine
    self.pool = pool
    volume = AlignedBuffer(count: sizeX * sizeY * sizeZ * channels)
    indices = AlignedBuffer(count: sizeX * sizeY * sizeZ)
    tables = AlignedBuffer(count: sizeX * sizeY * sizeZ * cameras.count)
    tables.fill(-1)
    featureStarts = FrustumLayout(cameras: cameras, binCount: 1).featureStarts
  }

  public var voxelCount: Int { sizeX * sizeY * sizeZ }

  /// Whether camera `index` sees each voxel, [x][y][z]; allocates.
  public func visibility(camera index: Int) -> [UInt8] {
    (0..<voxelCount).map { tables[index * voxelCount + $0] >= 0 ? 1 : 0 }
  }

  /// Sets camera `index`: `projection` takes BEV coordinates to feature pixels (3×4 row-major, the
  /// intrinsics divided by the stride). Voxel (i, j, k) has its lower corner at
  /// origin + (index - size / 2) · voxel size.
  public func setCamera(
    _ index: Int, projection: [Double], originMeters: SIMD3<Double>, voxelMeters: SIMD3<Double>
  ) {
    precondition(projection.count == 12, "a 3×4 projection has 12 values, not \(projection.count)")
    for position in 0..<12 { geometry[position] = projection[position] }
    let sizes = SIMD3(Double(sizeX), Double(sizeY), Double(sizeZ))
    let lower = originMeters - sizes / 2 * voxelMeters
    for axis in 0..<3 {
      geometry[12 + axis] = lower[axis]
      geometry[15 + axis] = voxelMeters[axis]
    }
    resolvedCameras = nil
    switch engine {
    case .reference: lookUpReference(index, projection, lower, voxelMeters)
    case .simd(let set):
      let camera = cameras[index]
      unsafe pool.run(
        LookUpJob(
          set: set, geometry: geometry.pointer, sizeX: sizeX, sizeY: sizeY, sizeZ: sizeZ,
          width: camera.featureWidth, height: camera.featureHeight,
          firstToken: featureStarts[index], roundsAway: overlap == .first,
          indices: tables.pointer + index * voxelCount))
    }
  }

  /// Fills `volume` and `indices` from features [camera][y][x][channel], tightly packed.
  public func pull(_ features: UnsafeBufferPointer<Float>, cameras valid: CameraSet = .all) {
    let tokens = featureStarts[cameras.count]
    precondition(
      features.count >= tokens * channels,
      "\(features.count) feature values for \(tokens) tokens of \(channels)")
    guard let source = features.baseAddress else { return }
    switch engine {
    case .reference: unsafe pullReference(source, valid)
    case .simd(let set):
      var job = unsafe PullJob(
        set: set, stage: .mean, tables: tables.pointer, cameras: cameras.count,
        voxels: voxelCount, valid: valid.rawValue, takesLast: overlap == .last, features: source,
        channels: channels, volume: volume.pointer, indices: indices.pointer)
      if overlap != .mean {
        job.stage = .resolve
        // A static rig resolves the overlap once.
        if resolvedCameras != valid { pool.run(job) }
        resolvedCameras = valid
        job.stage = .copy
      }
      pool.run(job)
    }
  }
}

@safe struct LookUpJob: PartitionedJob {
  var set: InstructionSet
  var geometry: UnsafeMutablePointer<Double>
  var sizeX: Int
  var sizeY: Int
  var sizeZ: Int
  var width: Int
  var height: Int
  var firstToken: Int
  var roundsAway: Bool
  var indices: UnsafeMutablePointer<Int32>
  func run(part: Int, of parts: Int) {
    let range = partition(sizeX, part: part, of: parts)
    unsafe ProjectionKernels.nearestPixels(
      set, geometry, sizeY, sizeZ, width, height, firstToken, roundsAway, range.lowerBound,
      range.upperBound, indices)
  }
}

@safe struct PullJob: PartitionedJob {
  enum Stage { case resolve, copy, mean }
  var set: InstructionSet
  var stage: Stage
  var tables: UnsafeMutablePointer<Int32>
  var cameras: Int
  var voxels: Int
  var valid: UInt16
  var takesLast: Bool
  var features: UnsafePointer<Float>
  var channels: Int
  var volume: UnsafeMutablePointer<Float>
  var indices: UnsafeMutablePointer<Int32>

  func run(part: Int, of parts: Int) {
    let range = partition(voxels, part: part, of: parts, grain: 64)
    let (begin, end) = (range.lowerBound, range.upperBound)
    switch stage {
    case .resolve:
      unsafe ProjectionKernels.resolveOverlap(
        set, tables, cameras, voxels, valid, takesLast, begin, end, indices)
    case .copy:
      unsafe ProjectionKernels.pullRows(
        set, indices, begin, end, features, channels, volume,
        channels % 16 == 0 && 4 * voxels * channels >= PoolJob.streamedByteCount)
    case .mean:
      unsafe ProjectionKernels.pullMeanRows(
        set, tables, cameras, voxels, valid, begin, end, features, channels, volume, indices)
    }
  }
}
