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

  /// - Parameter labels: [x][y][z], one byte a voxel.
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
  /// - Throws: `InputError` for other sizes, or a ray without direction, with NaN, or farther than
  ///   2²⁰ voxels from the grid's corner.
  public func cast(
    origins: [Float], ends: [Float], voxelSizeMeters: Float
  ) throws(InputError) -> CastRays {
    try check(origins: origins, ends: ends)
    let (found, distances) =
      engine == .reference ? reference(origins, ends) : vectorised(origins, ends)
    return CastRays(
      labels: found.map { $0 < 0 ? Int32(freeClass) : Int32(labels[Int($0)]) },
      distancesMeters: distances.map { $0 * voxelSizeMeters }, voxels: found)
  }

  private func check(origins: [Float], ends: [Float]) throws(InputError) {
    guard origins.count == ends.count, origins.count % 3 == 0 else {
      throw InputError(
        input: "rays", expected: "three coordinates for every origin and end",
        found: "\(origins.count) and \(ends.count) values", remedy: "give [ray][3] twice")
    }
    let limit: Float = 0x1p20
    for ray in 0..<origins.count / 3 {
      let range = ray * 3..<ray * 3 + 3
      let finite = range.allSatisfy { abs(origins[$0]) <= limit && abs(ends[$0]) <= limit }
      guard finite, range.contains(where: { origins[$0] != ends[$0] }) else {
        throw InputError(
          input: "ray \(ray)", expected: "two different points within 2^20 voxels",
          found: "\(Array(origins[range])) to \(Array(ends[range]))",
          remedy: "leave the ray out or correct it")
      }
    }
  }

  private func reference(_ origins: [Float], _ ends: [Float]) -> ([Int64], [Float]) {
    let walk = ReferenceRayWalk(labels: labels, sizes: sizes, freeClass: freeClass)
    var voxels: [Int64] = []
    var distances: [Float] = []
    for ray in stride(from: 0, to: origins.count, by: 3) {
      let result = walk.walk(
        origin: SIMD3(origins[ray], origins[ray + 1], origins[ray + 2]),
        end: SIMD3(ends[ray], ends[ray + 1], ends[ray + 2]))
      voxels.append(Int64(result.voxel ?? -1))
      distances.append(Float(result.distance))
    }
    return (voxels, distances)
  }

  private func vectorised(_ origins: [Float], _ ends: [Float]) -> ([Int64], [Float]) {
    guard let walkGrid, !origins.isEmpty else { return ([], []) }
    let count = origins.count / 3
    let plane = (count + 7) & ~7
    let rays = AlignedBuffer<Float>(count: plane * 6)
    let (planes, voxels, distances) = (
      unsafe rays.pointer, AlignedBuffer<Int64>(count: plane), AlignedBuffer<Float>(count: plane)
    )
    for ray in 0..<plane {
      // The last batch is filled up with copies of the last ray.
      let source = min(ray, count - 1) * 3
      for axis in 0..<3 {
        unsafe planes[axis * plane + ray] = origins[source + axis]
        unsafe planes[(axis + 3) * plane + ray] = ends[source + axis]
      }
    }
    unsafe pool.run(
      WalkJob(
        grid: walkGrid.pointer, labels: labels.count, sizes: sizes, rays: rays.pointer,
        plane: plane, voxels: voxels.pointer, distances: distances.pointer, engine: engine))
    return (
      voxels.array.prefix(count).map(flatIndex), Array(distances.array.prefix(count))
    )
  }

  /// From the walk grid's index, which counts the border, to the index of [x][y][z].
  private func flatIndex(_ walkIndex: Int64) -> Int64 {
    guard walkIndex >= 0 else { return -1 }
    let (row, z) = Int(walkIndex).quotientAndRemainder(dividingBy: sizes.z + 2)
    let (x, y) = row.quotientAndRemainder(dividingBy: sizes.y + 2)
    return Int64(((x - 1) * sizes.y + y - 1) * sizes.z + z - 1)
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
  let labels: Int
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
  }
}
