import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// What rays through a grid of labels met.
public struct CastRays: Sendable, Equatable {
  /// By ray: the label of the first voxel that is not free, else the free label.
  public var labels: [Int32]
  /// By ray, metres: where the ray **leaves** that voxel; without one, where it leaves the grid;
  /// −1 voxel for a ray that never enters.
  public var distancesMeters: [Float]
  /// By ray: the flat index [x][y][z] of that voxel, −1 for none.
  public var voxels: [Int64]

  public init(labels: [Int32], distancesMeters: [Float], voxels: [Int64]) {
    precondition(
      labels.count == distancesMeters.count && labels.count == voxels.count,
      "\(labels.count) labels, \(distancesMeters.count) distances and \(voxels.count) voxels")
    self.labels = labels
    self.distancesMeters = distancesMeters
    self.voxels = voxels
  }
}

/// Casts rays through one grid of voxel labels as RayIoU defines it.
public final class VoxelRayCaster {
  private let labels: [UInt8]
  private let sizes: SIMD3<Int>
  private let freeClass: Int
  private let engine: Engine
  private let pool: WorkerPool
  /// 0 free, 1 not free, 2 border: the grid with one cell around it. Nil for the reference.
  private let walkGrid: AlignedBuffer<UInt8>?

  /// - Parameters:
  ///   - labels: [x][y][z], one byte a voxel.
  ///   - sizes: voxels along x, y and z.
  ///   - freeClass: the label that rays pass through.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  /// - Throws: `InputError` when the labels do not fill `sizes`, or the grid has 2³¹ cells or more.
  public init(
    labels: [UInt8], sizes: SIMD3<Int>, freeClass: Int, engine: Engine, pool: WorkerPool
  ) throws(InputError) {
    let limit = 1 << 20
    guard (0..<3).allSatisfy({ sizes[$0] > 0 && sizes[$0] < limit }),
      sizes.x * sizes.y < 1 << 31, sizes.x * sizes.y * sizes.z < 1 << 31
    else {
      throw InputError(
        input: "voxel grid", expected: "1 to \(limit - 1) voxels an axis, below 2^31 in all",
        found: "\(sizes.x) x \(sizes.y) x \(sizes.z)", remedy: "crop the grid")
    }
    guard labels.count == sizes.x * sizes.y * sizes.z else {
      throw InputError(
        input: "voxel grid", expected: "\(sizes.x * sizes.y * sizes.z) labels",
        found: "\(labels.count)", remedy: "give one label a voxel")
    }
    self.labels = labels
    self.sizes = sizes
    self.freeClass = freeClass
    self.engine = engine
    self.pool = pool
    guard case .simd = engine else {
      walkGrid = nil
      return
    }
    let grid = AlignedBuffer<UInt8>(count: (sizes.x + 2) * (sizes.y + 2) * (sizes.z + 2))
    grid.fill(2)
    walkGrid = grid
    unsafe labels.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe pool.run(
        FillJob(
          labels: base, sizes: sizes, freeClass: freeClass, grid: grid.pointer, engine: engine))
    }
  }

  /// Casts rays. Equal bits for every engine and thread count: the walk is float64 without fused
  /// operations. Allocates its results.
  ///
  /// - Parameters:
  ///   - origins: [ray][3] in voxels; an origin outside the grid is walked until it enters. Its
  ///     voxel is found by truncation toward zero, as the public code does.
  ///   - ends: [ray][3], a point further along each ray.
  ///   - voxelSizeMeters: edge of a voxel.
  /// - Throws: `InputError` for rays that `VoxelRayBatch` refuses.
  public func cast(
    origins: [Float], ends: [Float], voxelSizeMeters: Float
  ) throws(InputError) -> CastRays {
    let batch = try VoxelRayBatch(origins: origins, ends: ends)
    cast(batch)
    return results(of: batch, voxelSizeMeters: voxelSizeMeters)
  }

  /// Casts a batch; its results replace those before. Allocates nothing.
  public func cast(_ batch: VoxelRayBatch) {
    guard batch.count > 0 else { return }
    guard let walkGrid else {
      let walk = ReferenceRayWalk(labels: labels, sizes: sizes, freeClass: freeClass)
      for ray in 0..<batch.count {
        let result = walk.walk(origin: batch.origin(ray), end: batch.end(ray))
        batch.voxels[ray] = Int64(result.voxel ?? -1)
        batch.distances[ray] = Float(result.distance)
      }
      return
    }
    unsafe pool.run(
      WalkJob(
        grid: walkGrid.pointer, sizes: sizes, rays: batch.rays.pointer, plane: batch.plane,
        voxels: batch.voxels.pointer, distances: batch.distances.pointer, engine: engine))
  }

  /// The results of a batch that this caster cast last. Allocates them.
  public func results(of batch: VoxelRayBatch, voxelSizeMeters: Float) -> CastRays {
    let voxels = Array(batch.voxels.array.prefix(batch.count))
    return CastRays(
      labels: voxels.map { $0 < 0 ? Int32(freeClass) : Int32(labels[Int($0)]) },
      distancesMeters: batch.distances.array.prefix(batch.count).map { $0 * voxelSizeMeters },
      voxels: voxels)
  }
}

/// Fills the walk grid by rows of z.
@safe
private struct FillJob: PartitionedJob {
  let labels: UnsafePointer<UInt8>
  let sizes: SIMD3<Int>
  let freeClass: Int
  let grid: UnsafeMutablePointer<UInt8>
  let engine: Engine

  func run(part: Int, of parts: Int) {
    let rows = partition(sizes.x * sizes.y, part: part, of: parts, grain: 64)
    let (l, g) = unsafe (labels, grid)
    let (y, z, a, b, f) = (sizes.y, sizes.z, rows.lowerBound, rows.upperBound, freeClass)
    switch engine {
    case .reference: preconditionFailure("the reference walks the labels themselves")
    case .simd(.portable): unsafe SwiftletKernelsPortable.fillWalkGrid(l, y, z, a, b, f, g)
    case .simd(.baseline): unsafe SwiftletKernels.fillWalkGrid(l, y, z, a, b, f, g)
    case .simd(.avx2): unsafe SwiftletKernelsAVX2.fillWalkGrid(l, y, z, a, b, f, g)
    case .simd(.avx512): unsafe SwiftletKernelsAVX512.fillWalkGrid(l, y, z, a, b, f, g)
    }
  }
}

/// Walks rays in batches; every ray's result is its own.
@safe
private struct WalkJob: PartitionedJob {
  let grid: UnsafePointer<UInt8>
  let sizes: SIMD3<Int>
  let rays: UnsafePointer<Float>
  let plane: Int
  let voxels: UnsafeMutablePointer<Int64>
  let distances: UnsafeMutablePointer<Float>
  let engine: Engine

  func run(part: Int, of parts: Int) {
    let range = partition(plane, part: part, of: parts, grain: 64)
    let (g, r, v, d) = unsafe (grid, rays, voxels, distances)
    let (x, y, z, n) = (sizes.x, sizes.y, sizes.z, plane)
    let (a, b) = (range.lowerBound, range.upperBound)
    switch engine {
    case .reference: preconditionFailure("the reference walks ray by ray")
    case .simd(.portable):
      unsafe SwiftletKernelsPortable.walkVoxelRays(g, x, y, z, r, n, a, b, v, d)
    case .simd(.baseline): unsafe SwiftletKernels.walkVoxelRays(g, x, y, z, r, n, a, b, v, d)
    case .simd(.avx2): unsafe SwiftletKernelsAVX2.walkVoxelRays(g, x, y, z, r, n, a, b, v, d)
    case .simd(.avx512): unsafe SwiftletKernelsAVX512.walkVoxelRays(g, x, y, z, r, n, a, b, v, d)
    }
    for ray in range { unsafe v[ray] = flatIndex(v[ray]) }
  }

  /// From the walk grid's index, which counts the border, to the index of [x][y][z].
  private func flatIndex(_ walkIndex: Int64) -> Int64 {
    guard walkIndex >= 0 else { return -1 }
    let (row, z) = Int(walkIndex).quotientAndRemainder(dividingBy: sizes.z + 2)
    let (x, y) = row.quotientAndRemainder(dividingBy: sizes.y + 2)
    return Int64(((x - 1) * sizes.y + y - 1) * sizes.z + z - 1)
  }
}
