/// Trilinear alignment of a voxel volume [z][y][x][channel] between two ego poses, zero outside:
/// FB-OCC's history warp. Owns its result, valid until the next call; nothing allocates after
/// `init`.
public final class VoxelWarp {
  public let sizeX: Int
  public let sizeY: Int
  public let sizeZ: Int
  public let channels: Int
  public let engine: Engine
  let pool: WorkerPool
  public let output: AlignedBuffer<Float>
  private let flow = AlignedBuffer<Double>(count: 12)

  public init(
    sizeX: Int, sizeY: Int, sizeZ: Int, channels: Int, engine: Engine, pool: WorkerPool
  ) {
    precondition(
      sizeX > 0 && sizeY > 0 && sizeZ > 0 && channels > 0,
      "a volume of \(sizeX)×\(sizeY)×\(sizeZ)×\(channels) is empty")
    self.sizeX = sizeX
    self.sizeY = sizeY
    self.sizeZ = sizeZ
    self.channels = channels
    self.engine = engine
    self.pool = pool
    output = AlignedBuffer(count: sizeX * sizeY * sizeZ * channels)
  }

  /// FB-OCC's flow from current to previous cell index:
  /// inverse(S) · augPrevious · previousFromCurrent · inverse(augCurrent) · S, where S maps index i
  /// to lower + i · step metres (cell corner).
  public static func fbOccFlow(
    previousFromCurrent: AffineTransform, augmentationPrevious: AffineTransform,
    augmentationCurrent: AffineTransform, lowerMeters: SIMD3<Double>, stepMeters: SIMD3<Double>
  ) -> AffineTransform {
    let metersFromIndex = AffineTransform(
      linear: Matrix3(
        SIMD3(stepMeters.x, 0, 0), SIMD3(0, stepMeters.y, 0), SIMD3(0, 0, stepMeters.z)),
      translation: lowerMeters)
    let moved = augmentationPrevious * previousFromCurrent * augmentationCurrent.inverse
    return metersFromIndex.inverse * moved * metersFromIndex
  }

  /// Warps `previous` into `output`; cell index p of the result reads `flow` · p.
  public func warp(_ previous: UnsafeBufferPointer<Float>, flow transform: AffineTransform) {
    precondition(
      previous.count >= output.count, "a volume of \(previous.count) values, not \(output.count)")
    guard let source = previous.baseAddress else { return }
    for axis in 0..<3 {
      flow[axis] = transform.linear.row0[axis]
      flow[4 + axis] = transform.linear.row1[axis]
      flow[8 + axis] = transform.linear.row2[axis]
      flow[4 * axis + 3] = transform.translation[axis]
    }
    switch engine {
    case .reference: unsafe warpReference(source, transform)
    case .simd(let set):
      unsafe pool.run(
        VoxelWarpJob(
          set: set, source: source, sizeX: sizeX, sizeY: sizeY, sizeZ: sizeZ, channels: channels,
          flow: flow.pointer, output: output.pointer))
    }
  }

  /// Eight taps per cell and channel, each dropped on its own outside the volume.
  @unsafe
  private func warpReference(_ source: UnsafePointer<Float>, _ transform: AffineTransform) {
    output.zero()
    for cell in 0..<(sizeX * sizeY * sizeZ) {
      let index = SIMD3(
        Double(cell % sizeX), Double(cell / sizeX % sizeY), Double(cell / (sizeX * sizeY)))
      let p = transform * index
      guard abs(p.x) < 1e6, abs(p.y) < 1e6, abs(p.z) < 1e6 else { continue }
      for tap in 0..<8 {
        let x = Int(p.x.rounded(.down)) + (tap & 1)
        let y = Int(p.y.rounded(.down)) + (tap >> 1 & 1)
        let z = Int(p.z.rounded(.down)) + (tap >> 2)
        guard x >= 0, y >= 0, z >= 0, x < sizeX, y < sizeY, z < sizeZ else { continue }
        let weightX: Double = 1 - abs(p.x - Double(x))
        let weightY: Double = 1 - abs(p.y - Double(y))
        let weightZ: Double = 1 - abs(p.z - Double(z))
        let weight = Float(weightX * weightY * weightZ)
        for channel in 0..<channels where weight != 0 {
          let value = unsafe source[((z * sizeY + y) * sizeX + x) * channels + channel]
          output[cell * channels + channel] += value * weight
        }
      }
    }
  }
}

@safe struct VoxelWarpJob: PartitionedJob {
  var set: InstructionSet
  var source: UnsafePointer<Float>
  var sizeX: Int
  var sizeY: Int
  var sizeZ: Int
  var channels: Int
  var flow: UnsafeMutablePointer<Double>
  var output: UnsafeMutablePointer<Float>
  func run(part: Int, of parts: Int) {
    let slices = partition(sizeY * sizeZ, part: part, of: parts)
    unsafe ProjectionKernels.warpVolumeRows(
      set, source, sizeZ, sizeY, sizeX, channels, flow, slices.lowerBound, slices.upperBound,
      output)
  }
}
