/// For every frame, what the LiDARs and each camera can tell about every voxel of an ego-aligned
/// volume, and the two masks of Occ3D made from it.
///
/// - LiDAR: visible where a ray of the frame passed or ended; occluded where the cell's middle lies
///   between the lowest and the highest ray of its sector; else out of view.
/// - Camera: a cell is visible when a pixel's ray crosses it, up to and including the first occupied
///   cell (Occ3D, algorithm 3); occluded when its middle lies in the image; else out of view. A cell
///   is occupied when a LiDAR point of the frame or an occupied voxel of the window lies in it.
/// - `lidarMask`: some ray of the scans up to now passed or ended: visible now, or the window knows
///   the voxel at the cell's middle. `cameraMask`: visible to a camera, and in `lidarMask`.
///
/// A camera's field of view is that of its mount; its rays start where it was at its own time.
/// Cells are bits: column [x][y], z upward from bit 0. Buffers are made in `init` and when a camera
/// appears or its calibration changes; else `update` allocates nothing. The same bits for every
/// engine, instruction set and thread count.
@safe
public final class VisibilityMap {
  public let configuration: VisibilityConfiguration
  public let engine: Engine
  let pool: WorkerPool
  /// [x][y] bits; a spare word behind each.
  let lidarVisible: AlignedBuffer<UInt32>
  let lidarField: AlignedBuffer<UInt32>
  let lidarHits: AlignedBuffer<UInt32>
  let occupied: AlignedBuffer<UInt32>
  let known: AlignedBuffer<UInt32>
  let anyCamera: AlignedBuffer<UInt32>
  let blank: AlignedBuffer<UInt32>
  let parts: AlignedBuffer<UInt32>
  let scratch: AlignedBuffer<UInt32>
  let sectors: AlignedBuffer<Float>
  let parameters = AlignedBuffer<Float>(count: 16)
  let layout = AlignedBuffer<Int32>(count: 8)
  let affine = AlignedBuffer<Double>(count: 12)
  let window = AlignedBuffer<Int>(count: 8)
  public internal(set) var cameras: [VisibilityCamera] = []
  let columnStride: Int

  public init(
    configuration: VisibilityConfiguration = VisibilityConfiguration(), engine: Engine = .best,
    pool: WorkerPool
  ) throws(ConfigurationError) {
    try configuration.validate()
    self.configuration = configuration
    self.engine = engine
    self.pool = pool
    columnStride = configuration.columnCount + 16
    lidarVisible = AlignedBuffer(count: columnStride)
    lidarField = AlignedBuffer(count: columnStride)
    lidarHits = AlignedBuffer(count: columnStride)
    occupied = AlignedBuffer(count: columnStride)
    known = AlignedBuffer(count: columnStride)
    anyCamera = AlignedBuffer(count: columnStride)
    blank = AlignedBuffer(count: columnStride)
    parts = AlignedBuffer(count: columnStride * pool.threadCount)
    scratch = AlignedBuffer(count: 64 * pool.threadCount)
    sectors = AlignedBuffer(count: 2 * configuration.sectorCount * pool.threadCount)
    for axis in 0..<3 { layout[axis] = Int32(configuration.cellCounts[axis]) }
    layout[4] = Int32(configuration.sectorCount)
  }

  /// Takes in one frame.
  ///
  /// - Parameters:
  ///   - frame: its cameras, scans and poses.
  ///   - grid: the window after the frame's scans were folded in; nil uses the frame's points
  ///     alone.
  public func update(_ frame: SensorFrame, grid: OccupancyGrid?) {
    lidarVisible.zero()
    lidarField.zero()
    lidarHits.zero()
    occupied.zero()
    known.zero()
    anyCamera.zero()
    for lidar in frame.lidars where lidar.isValid {
      markLidar(lidar.points, egoFromLidar: frame.worldFromEgo.inverse * lidar.worldFromLidar)
    }
    for column in 0..<configuration.columnCount {
      unsafe lidarVisible.pointer[column] |= lidarHits.pointer[column]
      unsafe occupied.pointer[column] |= lidarHits.pointer[column]
    }
    if let grid, frame.worldFromEgo.isFinite { readWindow(grid, worldFromEgo: frame.worldFromEgo) }
    prepare(frame.cameras)
    for (index, camera) in frame.cameras.enumerated() { mark(camera, at: index) }
  }

  /// Drops what belongs to cameras, so that the next frame builds it anew.
  public func reset() { cameras.removeAll() }

  // MARK: steps

  /// Vectors of a sensor to cells, its place in cells, how far rays go.
  func setRays(egoFromSensor: RigidTransform, isEndless: Bool) {
    let inverse = 1 / configuration.cellSizeMeters
    let r = egoFromSensor.rotation
    let rows = (r.row0 * inverse, r.row1 * inverse, r.row2 * inverse)
    let origin = (egoFromSensor.translation - configuration.lowerMeters) * inverse
    for axis in 0..<3 {
      parameters[axis] = Float(rows.0[axis])
      parameters[3 + axis] = Float(rows.1[axis])
      parameters[6 + axis] = Float(rows.2[axis])
      parameters[9 + axis] = Float(origin[axis])
    }
    parameters[12] = Float(configuration.maximumRangeMeters * inverse)
    parameters[13] = isEndless ? 1 : 0
    layout[3] = isEndless ? 1 : 0
  }

  private func markLidar(_ points: PointCloudView, egoFromLidar: RigidTransform) {
    guard let base = unsafe points.baseAddress, points.count > 0, egoFromLidar.isFinite else {
      return
    }
    setRays(egoFromSensor: egoFromLidar, isEndless: false)
    clearSectors()
    let offsets = (points.xByteOffset, points.yByteOffset, points.zByteOffset)
    if case .simd(let set) = engine {
      let rays = unsafe ViewRaysJob(
        map: self, set: set, base: base, stride: points.byteStride, offsets: offsets,
        count: points.count, stops: blank.pointer)
      pool.run(rays)
      merge(set, into: lidarVisible)
      unsafe pool.run(ViewHitsJob(rays: rays, sectors: sectors.pointer))
      merge(set, into: lidarHits)
      joinSectors()
      unsafe pool.run(
        ViewSectorsJob(
          set: set, parameters: parameters.pointer, layout: layout.pointer,
          sectors: sectors.pointer, columns: configuration.cellCounts.x, field: parts.pointer))
      merge(set, into: lidarField)
    } else {
      unsafe markLidarReference(base, points.byteStride, offsets, points.count)
    }
  }

  private func clearSectors() {
    for index in 0..<sectors.count {
      unsafe sectors.pointer[index] = index % 2 == 0 ? .infinity : -.infinity
    }
  }
  private func joinSectors() {
    let count = 2 * configuration.sectorCount
    for part in 1..<max(1, pool.threadCount) {
      for index in 0..<count {
        unsafe sectors.pointer[index] =
          index % 2 == 0
          ? min(sectors.pointer[index], sectors.pointer[part * count + index])
          : max(sectors.pointer[index], sectors.pointer[part * count + index])
      }
    }
  }

  func merge(_ set: InstructionSet, into target: AlignedBuffer<UInt32>) {
    unsafe pool.run(
      ViewMergeJob(
        set: set, parts: parts.pointer, partStride: columnStride,
        columns: configuration.columnCount, target: target.pointer))
  }

  private func readWindow(_ grid: OccupancyGrid, worldFromEgo: RigidTransform) {
    let view = WindowView(grid)
    let ratio = view.voxelSize / configuration.cellSizeMeters
    // Samples at most half a cell apart leave no hole in a solid surface, however it is turned.
    let samples = max(1, Int((2 * ratio - 1e-9).rounded(.up)))
    for axis in 0..<3 { window[axis] = view.cells[axis] }
    window[3] = view.words
    window[4] = view.slotX
    window[5] = view.slotY
    setCellFromVoxel(view, worldFromEgo)
    if case .simd(let set) = engine {
      unsafe pool.run(
        ViewSplatJob(
          set: set, occupied: view.occupied, window: window.pointer, map: affine.pointer,
          layout: layout.pointer, samples: samples, parts: parts.pointer, partStride: columnStride))
      merge(set, into: occupied)
      setVoxelFromCell(view, worldFromEgo)
      unsafe pool.run(
        ViewSampleJob(
          set: set, known: view.known, window: window.pointer, map: affine.pointer,
          layout: layout.pointer, columns: known.pointer))
    } else {
      splatReference(view, samples)
      setVoxelFromCell(view, worldFromEgo)
      sampleReference(view)
    }
  }

  /// cell = (R⁻¹ (voxel + origin) · size − R⁻¹ t − lower) / cell size.
  private func setCellFromVoxel(_ view: WindowView, _ worldFromEgo: RigidTransform) {
    let back = worldFromEgo.inverse
    let scale = view.voxelSize / configuration.cellSizeMeters
    let corner = back * (SIMD3<Double>(view.origin) * view.voxelSize)
    let shift = (corner - configuration.lowerMeters) / configuration.cellSizeMeters
    store(back.rotation, scale, shift)
  }
  /// voxel = (R (cell · cell size + lower) + t) / size − origin.
  private func setVoxelFromCell(_ view: WindowView, _ worldFromEgo: RigidTransform) {
    let scale = configuration.cellSizeMeters / view.voxelSize
    let corner = worldFromEgo * configuration.lowerMeters
    store(
      worldFromEgo.rotation, scale, corner / view.voxelSize - SIMD3<Double>(view.origin))
  }
  private func store(_ r: Matrix3, _ scale: Double, _ shift: SIMD3<Double>) {
    for axis in 0..<3 {
      affine[axis] = r.row0[axis] * scale
      affine[4 + axis] = r.row1[axis] * scale
      affine[8 + axis] = r.row2[axis] * scale
      affine[4 * axis + 3] = shift[axis]
    }
  }
}
