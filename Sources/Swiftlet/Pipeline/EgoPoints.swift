import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// All LiDARs' points of one frame in the key ego frame, [point][x y z intensity] float32, NaN
/// where a point belongs to the vehicle's body or is not finite. Owned; valid until the next
/// `update`, which allocates nothing.
final class EgoPoints {
  let capacity: Int
  private let records: AlignedBuffer<Float>
  private let matrix = AlignedBuffer<Double>(count: 12)
  private let box = AlignedBuffer<Float>(count: 6)
  private let engine: Engine
  private let pool: WorkerPool
  private var count = 0

  init(
    capacity: Int, egoBox: PipelineConfiguration.EgoBox, engine: Engine, pool: WorkerPool
  ) {
    self.capacity = capacity
    self.engine = engine
    self.pool = pool
    records = AlignedBuffer(count: capacity * 4)
    for axis in 0..<3 {
      box[axis] = Float(egoBox.lowerMeters[axis])
      box[3 + axis] = Float(egoBox.upperMeters[axis])
    }
  }

  /// The points as a cloud view.
  var view: PointCloudView {
    var view = unsafe PointCloudView(base: records.pointer, count: count, byteStride: 16)
    view.intensityByteOffset = 12
    return view
  }

  /// - Precondition: the valid LiDARs have at most `capacity` points together.
  func update(lidars: [LidarInput], worldFromEgo: RigidTransform) {
    count = 0
    for lidar in lidars where lidar.isValid {
      append(lidar, egoFromLidar: worldFromEgo.inverse * lidar.worldFromLidar)
    }
  }

  private func append(_ lidar: LidarInput, egoFromLidar: RigidTransform) {
    let points = lidar.points
    precondition(
      count + points.count <= capacity, "\(count + points.count) points, room for \(capacity)")
    guard let base = unsafe points.baseAddress else { return }
    let (r, t) = (egoFromLidar.rotation, egoFromLidar.translation)
    setRow(0, r.row0, t.x)
    setRow(1, r.row1, t.y)
    setRow(2, r.row2, t.z)
    let job = unsafe EgoPointsJob(
      engine: engine, base: base, points: points, matrix: matrix.pointer, box: box.pointer,
      output: records.pointer + count * 4)
    unsafe pool.run(job)
    count += points.count
  }

  private func setRow(_ row: Int, _ values: SIMD3<Double>, _ last: Double) {
    matrix[row * 4] = values.x
    matrix[row * 4 + 1] = values.y
    matrix[row * 4 + 2] = values.z
    matrix[row * 4 + 3] = last
  }
}

@unsafe private struct EgoPointsJob: PartitionedJob {
  var engine: Engine
  var base: UnsafeRawPointer
  var points: PointCloudView
  var matrix: UnsafePointer<Double>
  var box: UnsafePointer<Float>
  var output: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let p = unsafe points
    let range = partition(p.count, part: part, of: parts, grain: 64)
    switch unsafe engine {
    // The kernel is scalar in every build; the reference takes the one without vector flags.
    case .reference, .simd(.portable):
      unsafe SwiftletKernelsPortable.transformToEgo(
        base, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, p.intensityByteOffset,
        range.lowerBound, range.upperBound, matrix, box, output)
    case .simd(.baseline):
      unsafe SwiftletKernels.transformToEgo(
        base, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, p.intensityByteOffset,
        range.lowerBound, range.upperBound, matrix, box, output)
    case .simd(.avx2):
      unsafe SwiftletKernelsAVX2.transformToEgo(
        base, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, p.intensityByteOffset,
        range.lowerBound, range.upperBound, matrix, box, output)
    case .simd(.avx512):
      unsafe SwiftletKernelsAVX512.transformToEgo(
        base, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, p.intensityByteOffset,
        range.lowerBound, range.upperBound, matrix, box, output)
    }
  }
}
