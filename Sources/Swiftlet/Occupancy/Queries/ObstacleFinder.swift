#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One connected group of obstacle voxels.
public struct Obstacle: Sendable, Equatable, BitwiseCopyable {
  /// Middle of the box, metres in world.
  public var center = SIMD3<Double>(0, 0, 0)
  /// Corners of the box along the world's axes, metres.
  public var lower = SIMD3<Double>(0, 0, 0)
  public var upper = SIMD3<Double>(0, 0, 0)
  /// Heading of the box along the group's principal axis, counter-clockwise from world x, radians.
  public var yawRadians = 0.0
  /// Along and across that heading, and upward, metres.
  public var size = SIMD3<Double>(0, 0, 0)
  /// Of the top above the ground below the middle, metres.
  public var heightMeters = 0.0
  public var voxelCount = 0
  /// Metres per second in world; zero until a tracker or a flow input says otherwise.
  public var velocity = SIMD3<Double>(0, 0, 0)
  /// The same for as long as a tracker follows it; 0 untracked.
  public var identity: UInt64 = 0

  public init() {}
  public var speedMetersPerSecond: Double { (velocity * velocity).sum().squareRoot() }
}

/// Connected components of obstacle voxels (26 neighbours) with their boxes: a detector for whatever
/// stands on the road. `find` allocates nothing; the same for every engine, instruction set and
/// thread count.
@safe
public final class ObstacleFinder {
  /// Groups of fewer voxels are left out.
  public let minimumVoxelCount: Int
  public let capacity: Int
  /// The obstacles of the last `find`, in order of their first column by rows.
  public let obstacles: AlignedBuffer<Obstacle>
  public internal(set) var count = 0
  /// True when runs or groups did not fit: the list is incomplete.
  public internal(set) var isTruncated = false
  let engine: Engine
  let cells: SIMD3<Int>
  let words: Int
  let voxelSize: Double
  let runCapacity: Int
  let starts: AlignedBuffer<Int32>
  let lows: AlignedBuffer<Int16>
  let highs: AlignedBuffer<Int16>
  let parents: AlignedBuffer<Int32>
  let indices: AlignedBuffer<Int32>
  let sums: AlignedBuffer<Double>
  let axes: AlignedBuffer<Double>
  let extents: AlignedBuffer<Double>

  /// - Parameters:
  ///   - grid: whose voxels are looked at.
  ///   - minimumVoxelCount: smaller groups are left out.
  ///   - capacity: groups, before the small ones are left out.
  ///   - runCapacity: vertical runs of voxels; by default two a column, for small windows all
  ///     there can be. More than that and `find` lists nothing.
  public init(
    for grid: OccupancyGrid, minimumVoxelCount: Int = 4, capacity: Int = 16_384,
    runCapacity: Int? = nil
  ) {
    self.minimumVoxelCount = minimumVoxelCount
    self.capacity = capacity
    engine = grid.engine
    cells = grid.cellCounts
    words = grid.configuration.wordCount
    voxelSize = grid.configuration.voxelSizeMeters
    let columns = cells.x * cells.y
    self.runCapacity = runCapacity ?? min(columns * ((cells.z + 1) / 2), max(65_536, 2 * columns))
    obstacles = AlignedBuffer(count: capacity)
    starts = AlignedBuffer(count: columns + 1)
    lows = AlignedBuffer(count: self.runCapacity)
    highs = AlignedBuffer(count: self.runCapacity)
    parents = AlignedBuffer(count: self.runCapacity)
    indices = AlignedBuffer(count: self.runCapacity)
    sums = AlignedBuffer(count: 16 * capacity)
    axes = AlignedBuffer(count: 2 * capacity)
    extents = AlignedBuffer(count: 4 * capacity)
  }

  /// Groups the layer's obstacle voxels. Returns how many `obstacles` there are.
  ///
  /// - Precondition: `layer` was made for the same window.
  @discardableResult
  public func find(in layer: ObstacleLayer) -> Int {
    precondition(layer.cells == cells, "a finder for \(cells) voxels, a layer of \(layer.cells)")
    count = 0
    guard case .simd(let set) = engine else { return findReference(layer) }
    let runs = unsafe QueryKernels.labelRuns(
      set, layer.bits.pointer, cells.x, cells.y, words, runCapacity, starts.pointer, lows.pointer,
      highs.pointer, parents.pointer)
    isTruncated = runs < 0
    if runs < 0 { return 0 }
    let groups = unsafe QueryKernels.measureComponents(
      set, cells.x, cells.y, starts.pointer, lows.pointer, highs.pointer, parents.pointer,
      indices.pointer, sums.pointer, capacity)
    isTruncated = groups > capacity
    let kept = min(groups, capacity)
    for group in 0..<kept { findAxis(group) }
    unsafe QueryKernels.measureExtents(
      set, cells.x, cells.y, starts.pointer, indices.pointer, axes.pointer, extents.pointer)
    for group in 0..<kept where sums[16 * group] >= Double(minimumVoxelCount) {
      obstacles[count] = obstacle(group, layer)
      count += 1
    }
    return count
  }

  /// The principal axis of the group's covariance in the plane.
  func findAxis(_ group: Int) {
    let base = 16 * group
    let n = sums[base]
    let meanX = sums[base + 1] / n
    let meanY = sums[base + 2] / n
    let xx = sums[base + 4] / n - meanX * meanX
    let yy = sums[base + 5] / n - meanY * meanY
    let xy = sums[base + 6] / n - meanX * meanY
    let yaw = 0.5 * atan2(2 * xy, xx - yy)
    axes[2 * group] = cos(yaw)
    axes[2 * group + 1] = sin(yaw)
    for index in 0..<4 { extents[4 * group + index] = index % 2 == 0 ? 1e9 : -1e9 }
  }

  func obstacle(_ group: Int, _ layer: ObstacleLayer) -> Obstacle {
    let base = 16 * group
    let (c, s) = (axes[2 * group], axes[2 * group + 1])
    let origin = SIMD3(
      Double(layer.origin.x), Double(layer.origin.y), Double(layer.origin.z))
    let low = SIMD3(sums[base + 7], sums[base + 8], sums[base + 9])
    let high = SIMD3(sums[base + 10], sums[base + 11], sums[base + 12])
    // A voxel's square reaches half of |c| + |s| along the axis on either side of its middle.
    let half = 0.5 * (abs(c) + abs(s))
    let along = SIMD2(extents[4 * group] - half, extents[4 * group + 1] + half)
    let across = SIMD2(extents[4 * group + 2] - half, extents[4 * group + 3] + half)
    let (u, v) = ((along.x + along.y) / 2, (across.x + across.y) / 2)
    var obstacle = Obstacle()
    obstacle.voxelCount = Int(sums[base])
    obstacle.lower = (low + origin) * voxelSize
    obstacle.upper = (high + 1 + origin) * voxelSize
    obstacle.center =
      (SIMD3(c * u - s * v + 0.5, s * u + c * v + 0.5, (low.z + high.z + 1) / 2) + origin)
      * voxelSize
    obstacle.yawRadians = atan2(s, c)
    obstacle.size =
      SIMD3(along.y - along.x, across.y - across.x, high.z + 1 - low.z) * voxelSize
    let x = min(max(Int(sums[base + 1] / sums[base]), 0), cells.x - 1)
    let y = min(max(Int(sums[base + 2] / sums[base]), 0), cells.y - 1)
    let floor = Double(layer.ground[y * cells.x + x]) + 1
    obstacle.heightMeters = (high.z + 1 - floor) * voxelSize
    return obstacle
  }
}
