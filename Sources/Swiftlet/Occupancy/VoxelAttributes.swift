/// Classes and intensities of a window's voxels, kept beside it and rolling with it.
///
/// A voxel holds one class and how much speaks for it: evidence of the same class adds, of another
/// takes away, and where nothing is left the new class takes over (the majority vote of Boyer and
/// Moore, 1981; two bytes a voxel instead of a count for each of 17 classes). Intensity, or any one
/// byte of colour, is a running mean with a weight that ends at 16 points, kept in 256ths: in whole
/// numbers it would stop a half of 16 away from what it should follow. Columns are recognised by
/// their key, so the window may move freely in x and y; moving in height forgets everything.
///
/// Memory: five bytes a voxel. Nothing allocates after `init`. One thread writes.
@safe
public final class VoxelAttributes {
  /// Occ3D's classes 0 to 16; 17 (free) and above say nothing.
  public static let classCount = 17
  let cells: SIMD3<Int>
  let voxelSize: Double
  let height: Int
  /// [slot y][slot x][z].
  private let classes: AlignedBuffer<UInt8>
  private let weights: AlignedBuffer<UInt8>
  /// 256ths.
  private let means: AlignedBuffer<UInt16>
  private let counts: AlignedBuffer<UInt8>
  /// [slot y][slot x][2]: x and y of the column whose values these are.
  private let columns: AlignedBuffer<Int32>
  private var floor: Int32?

  /// - Parameter grid: gives the sizes.
  public init(for grid: OccupancyGrid) {
    cells = grid.cellCounts
    voxelSize = grid.configuration.voxelSizeMeters
    height = cells.z
    let count = cells.x * cells.y * cells.z
    classes = AlignedBuffer(count: count)
    weights = AlignedBuffer(count: count)
    means = AlignedBuffer(count: count)
    counts = AlignedBuffer(count: count)
    columns = AlignedBuffer(count: 2 * cells.x * cells.y)
    reset()
  }

  public func reset() {
    weights.zero()
    counts.zero()
    columns.fill(.max)
    floor = nil
  }

  /// Takes in the classes and intensities of a scan's points; points outside the window and labels
  /// above 16 are left out. Allocates nothing.
  ///
  /// - Parameters:
  ///   - points: in LiDAR axes.
  ///   - worldFromLidar: pose of the LiDAR when it was measured.
  ///   - grid: whose voxels are looked at.
  ///   - labels: one a point, or nil.
  ///   - intensities: one a point, 0...255, or nil.
  ///   - weight: how much a label counts, at most 255 add up.
  /// - Returns: points that lay in the window.
  /// - Precondition: as many labels and intensities as points, where given.
  @unsafe
  @discardableResult
  public func add(
    _ points: PointCloudView, worldFromLidar: RigidTransform, in grid: OccupancyGrid,
    labels: UnsafeBufferPointer<UInt8>? = nil, intensities: UnsafeBufferPointer<UInt8>? = nil,
    weight: UInt8 = 8
  ) -> Int {
    precondition(
      grid.cellCounts == cells && grid.configuration.voxelSizeMeters == voxelSize,
      "attributes of \(cells) voxels cannot follow a window of \(grid.cellCounts)")
    let labelCount = unsafe labels?.count ?? points.count
    let intensityCount = unsafe intensities?.count ?? points.count
    precondition(
      labelCount == points.count && intensityCount == points.count,
      "\(points.count) points, \(labelCount) labels, \(intensityCount) intensities")
    guard unsafe points.baseAddress != nil else { return 0 }
    follow(grid)
    let inverse = 1 / voxelSize
    var count = 0
    for index in 0..<points.count {
      let point = unsafe SIMD3<Float>(
        points.value(index, points.xByteOffset), points.value(index, points.yByteOffset),
        points.value(index, points.zByteOffset))
      let world = WorldPoints.transformed(point, worldFromLidar)
      guard let key = VoxelKey(world, inverseVoxelSize: inverse),
        let place = place(of: key, in: grid, takes: true)
      else { continue }
      count += 1
      if let labels = unsafe labels { unsafe vote(labels[index], weight, at: place) }
      if let intensities = unsafe intensities { unsafe average(intensities[index], at: place) }
    }
    return count
  }

  private func follow(_ grid: OccupancyGrid) {
    if floor != grid.origin.z { reset() }
    floor = grid.origin.z
  }

  /// The voxel's index; a column that held another place is cleared where `takes`, else nil.
  private func place(of key: VoxelKey, in grid: OccupancyGrid, takes: Bool) -> Int? {
    guard let local = grid.localIndex(key), floor == grid.origin.z else { return nil }
    let column =
      OccupancyGrid.wrap(Int(key.y), cells.y) * cells.x + OccupancyGrid.wrap(Int(key.x), cells.x)
    if unsafe columns.pointer[2 * column] != key.x || columns.pointer[2 * column + 1] != key.y {
      guard takes else { return nil }
      unsafe columns.pointer[2 * column] = key.x
      unsafe columns.pointer[2 * column + 1] = key.y
      unsafe (weights.pointer + column * height).update(repeating: 0, count: height)
      unsafe (counts.pointer + column * height).update(repeating: 0, count: height)
    }
    return column * height + local.z
  }

  private func vote(_ label: UInt8, _ weight: UInt8, at place: Int) {
    guard Int(label) < Self.classCount, weight > 0 else { return }
    let held = unsafe weights.pointer[place]
    if unsafe held == 0 || classes.pointer[place] == label {
      unsafe classes.pointer[place] = label
      unsafe weights.pointer[place] = UInt8(min(255, Int(held) + Int(weight)))
    } else if held >= weight {
      unsafe weights.pointer[place] = held - weight
    } else {
      unsafe classes.pointer[place] = label
      unsafe weights.pointer[place] = weight - held
    }
  }

  private func average(_ value: UInt8, at place: Int) {
    let seen = unsafe Int(counts.pointer[place])
    let mean = unsafe Int(means.pointer[place])
    let count = min(16, seen + 1)
    // Rounded to the nearest, halves up; exact for the first point.
    let sum = mean * (count - 1) + 256 * Int(value)
    unsafe means.pointer[place] = UInt16((2 * sum + count) / (2 * count))
    unsafe counts.pointer[place] = UInt8(count)
  }

  /// The class of a voxel and how much speaks for it, 1...255; nil where no label was seen.
  public func label(_ key: VoxelKey, in grid: OccupancyGrid) -> (label: UInt8, weight: UInt8)? {
    guard let place = place(of: key, in: grid, takes: false), weights[place] > 0 else { return nil }
    return (classes[place], weights[place])
  }
  /// The mean intensity of a voxel's points; nil where none was seen.
  public func intensity(_ key: VoxelKey, in grid: OccupancyGrid) -> UInt8? {
    guard let place = place(of: key, in: grid, takes: false), counts[place] > 0 else { return nil }
    // At most 255: the largest mean is 255 · 256.
    return UInt8((Int(means[place]) + 128) / 256)
  }
}
