/// SimpleBEV's pull: every voxel centre is projected into every camera, sampled bilinearly, and
/// averaged over the cameras whose sample is not exactly 0.
///
/// The grid is normalised by (size - 1) and read without aligned corners; this mismatch is part of
/// trained weights. Owns its buffers: nothing allocates after `init`.
public final class BilinearPull {
  public let cameras: [FrustumLayout.Camera]
  public let sizeX: Int
  public let sizeY: Int
  public let sizeZ: Int
  public let channels: Int
  public let engine: Engine
  let pool: WorkerPool
  /// [z][y][x][channel].
  public let volume: AlignedBuffer<Float>
  /// [z][y][x]: cameras that see the voxel.
  public let counts: AlignedBuffer<Int32>
  /// 32 doubles per camera (see the kernel).
  let cameraData: AlignedBuffer<Double>
  /// Centre of voxel 0 and voxel size.
  let lattice = AlignedBuffer<Double>(count: 6)
  /// One row of counters per part.
  private let sums: AlignedBuffer<Float>

  /// - Parameters:
  ///   - cameras: the feature map of each camera, in the rig's order.
  ///   - sizeX: voxels along x.
  ///   - sizeY: voxels along y.
  ///   - sizeZ: voxels along z.
  ///   - channels: feature channels.
  ///   - lowerMeters: the lower bounds of the volume in the reference frame.
  ///   - upperMeters: its upper bounds; voxel i has its centre at lower + (i + 1/2) · size.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public init(
    cameras: [FrustumLayout.Camera], sizeX: Int, sizeY: Int, sizeZ: Int, channels: Int,
    lowerMeters: SIMD3<Double>, upperMeters: SIMD3<Double>, engine: Engine, pool: WorkerPool
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
    self.engine = engine
    self.pool = pool
    volume = AlignedBuffer(count: sizeX * sizeY * sizeZ * channels)
    counts = AlignedBuffer(count: sizeX * sizeY * sizeZ)
    cameraData = AlignedBuffer(count: 32 * cameras.count)
    sums = AlignedBuffer(count: (channels + 31) / 16 * 16 * pool.threadCount)
    let size = (upperMeters - lowerMeters) / SIMD3(Double(sizeX), Double(sizeY), Double(sizeZ))
    for axis in 0..<3 {
      lattice[axis] = lowerMeters[axis] + 0.5 * size[axis]
      lattice[3 + axis] = size[axis]
    }
  }

  /// Sets camera `index` from 4×4 row-major matrices: reference frame to feature pixels (scaled to
  /// the feature map), and to the camera frame.
  public func setCamera(_ index: Int, pixelFromReference: [Double], cameraFromReference: [Double]) {
    precondition(
      pixelFromReference.count == 16 && cameraFromReference.count == 16,
      "\(pixelFromReference.count) and \(cameraFromReference.count) values for 4×4 matrices")
    let starts = FrustumLayout(cameras: cameras, binCount: 1).featureStarts
    let base = 32 * index
    for position in 0..<12 { cameraData[base + position] = pixelFromReference[position] }
    for position in 0..<4 { cameraData[base + 12 + position] = cameraFromReference[8 + position] }
    cameraData[base + 16] = Double(starts[index])
    cameraData[base + 17] = Double(cameras[index].featureWidth)
    cameraData[base + 18] = Double(cameras[index].featureHeight)
  }

  /// Fills `volume` and `counts` from features [camera][y][x][channel], tightly packed.
  public func pull(_ features: UnsafeBufferPointer<Float>, cameras valid: CameraSet = .all) {
    let tokens = cameras.reduce(0) { $0 + $1.pixelCount }
    precondition(
      features.count >= tokens * channels,
      "\(features.count) feature values for \(tokens) tokens of \(channels)")
    guard let source = features.baseAddress else { return }
    switch engine {
    case .reference: unsafe pullReference(source, valid)
    case .simd(let set):
      unsafe pool.run(
        BilinearPullJob(
          set: set, cameraData: cameraData.pointer, cameras: cameras.count,
          valid: valid.rawValue, lattice: lattice.pointer, sizeX: sizeX, sizeY: sizeY,
          voxels: counts.count, features: source, channels: channels, counts: counts.pointer,
          sums: sums.pointer, volume: volume.pointer))
    }
  }
}

@safe struct BilinearPullJob: PartitionedJob {
  var set: InstructionSet
  var cameraData: UnsafeMutablePointer<Double>
  var cameras: Int
  var valid: UInt16
  var lattice: UnsafeMutablePointer<Double>
  var sizeX: Int
  var sizeY: Int
  var voxels: Int
  var features: UnsafePointer<Float>
  var channels: Int
  var counts: UnsafeMutablePointer<Int32>
  var sums: UnsafeMutablePointer<Float>
  var volume: UnsafeMutablePointer<Float>
  func run(part: Int, of parts: Int) {
    let range = partition(voxels, part: part, of: parts, grain: 16)
    unsafe ProjectionKernels.pullBilinearMean(
      set, cameraData, cameras, valid, lattice, sizeY, sizeX, range.lowerBound, range.upperBound,
      features, channels, counts, sums + (channels + 31) / 16 * 16 * part, volume)
  }
}
