/// OctoMap's map, set for set and value for value: unbounded within its 16-bit keys, float32
/// log-odds. The offline reference; it grows as it is filled.
///
/// Per scan every voxel that a ray crosses and no point ends in gets one miss, every voxel a point
/// ends in one hit, and is clamped after the addition (OccupancyOcTreeBase.hxx, insertPointCloud).
@safe
public final class ReferenceOccupancyMap {
  /// A scan whose bounding box takes more words than this is handled ray by ray (256 MB a volume).
  static let maximumVolumeWords = 1 << 25

  public let voxelSizeMeters: Double
  public let model: OccupancyModel
  public let engine: Engine
  let pool: WorkerPool
  let inverse: Double
  /// The map of the scalar engine, by packed key.
  var voxels: [UInt64: Float] = [:]
  /// The map of the vector engines.
  let store = VoxelBlockStore()
  let evidence: ScanEvidence?
  let modelValues: AlignedBuffer<Float>
  var touched = AlignedBuffer<UInt8>(count: 0)
  var foldTargets = unsafe AlignedBuffer<BlockFoldTarget>(count: 0)

  /// An empty map.
  ///
  /// - Precondition: `voxelSizeMeters` is finite and above 0.
  public init(
    voxelSizeMeters: Double, model: OccupancyModel = .octoMap, engine: Engine, pool: WorkerPool
  ) {
    precondition(
      voxelSizeMeters > 0 && voxelSizeMeters.isFinite,
      "a voxel size must be finite and above 0 m, not \(voxelSizeMeters)")
    self.voxelSizeMeters = voxelSizeMeters
    self.model = model
    self.engine = engine
    self.pool = pool
    inverse = 1 / voxelSizeMeters
    modelValues = AlignedBuffer([model.hit, model.miss, model.minimum, model.maximum])
    if case .simd(let set) = engine {
      evidence = ScanEvidence(set: set, pool: pool, voxelSize: voxelSizeMeters)
    } else {
      evidence = nil
    }
  }

  /// Inserts a scan in LiDAR axes: points go to world in float64 and are rounded once to float32,
  /// the sensor's position likewise. Points that are not finite are skipped and counted.
  ///
  /// - Parameters:
  ///   - points: in LiDAR axes, metres.
  ///   - worldFromLidar: pose of the LiDAR when it was measured.
  ///   - maximumRangeMeters: farther points only clear up to this range; negative means unlimited.
  @discardableResult
  public func insert(
    _ points: PointCloudView, worldFromLidar: RigidTransform, maximumRangeMeters: Double = -1
  ) -> ScanSummary {
    let world = WorldPoints(points, worldFromLidar: worldFromLidar, engine: engine)
    return insert(
      world, origin: SIMD3<Float>(worldFromLidar.translation),
      maximumRangeMeters: maximumRangeMeters)
  }

  /// Inserts points in world axes seen from `origin`.
  ///
  /// - Parameters:
  ///   - worldPoints: in world axes, metres.
  ///   - origin: the sensor in world, metres.
  ///   - maximumRangeMeters: farther points only clear up to this range; negative means unlimited.
  ///   - isDiscretized: first move every point to the centre of its voxel and keep one a voxel
  ///     (OctoMap's `discretize`).
  @discardableResult
  public func insert(
    worldPoints: [SIMD3<Float>], origin: SIMD3<Float>, maximumRangeMeters: Double = -1,
    isDiscretized: Bool = false
  ) -> ScanSummary {
    let points = isDiscretized ? discretized(worldPoints) : worldPoints
    return insert(WorldPoints(points), origin: origin, maximumRangeMeters: maximumRangeMeters)
  }

  private func insert(
    _ points: WorldPoints, origin: SIMD3<Float>, maximumRangeMeters: Double
  ) -> ScanSummary {
    guard let evidence else {
      return insertReference(points, origin: origin, maximumRange: maximumRangeMeters)
    }
    let isDense = collect(points, origin: origin, maximumRange: maximumRangeMeters)
    if isDense {
      foldVolume(evidence)
      evidence.clear()
    } else {
      let sets = sparseSets(evidence, origin: origin)
      apply(free: sets.free, occupied: sets.occupied)
    }
    return evidence.summary
  }

  /// OctoMap's insertPointCloudRays: every ray on its own, in order; repeated visits add up, no
  /// maximum range, occupied does not beat free.
  public func insertRays(worldPoints: [SIMD3<Float>], origin: SIMD3<Float>) {
    guard let first = VoxelKey(origin, inverseVoxelSize: inverse) else { return }
    let rays = worldPoints.compactMap { point in
      VoxelKey(point, inverseVoxelSize: inverse).map { (end: point, key: $0) }
    }
    guard case .simd(let set) = engine else {
      for ray in rays {
        RayTraversal.forEachVoxel(
          from: origin, first, to: ray.end, ray.key, voxelSize: voxelSizeMeters
        ) { update($0, isHit: false) }
        update(ray.key, isHit: true)
      }
      return
    }
    let lister = RayLister(set: set, voxelSize: voxelSizeMeters, origin: origin, first: first)
    lister.forEachList(ends: rays.map(\.end), lastKeys: rays.map(\.key)) { ray, voxels in
      for voxel in voxels { store.update(voxel, isHit: false, model: model) }
      store.update(rays[ray].key, isHit: true, model: model)
    }
  }

  /// The voxels a scan would clear and those it would hit, sorted by x, y, z; changes nothing.
  public func scanVoxels(
    worldPoints: [SIMD3<Float>], origin: SIMD3<Float>, maximumRangeMeters: Double = -1,
    isDiscretized: Bool = false
  ) -> (free: [VoxelKey], occupied: [VoxelKey]) {
    let points = WorldPoints(isDiscretized ? discretized(worldPoints) : worldPoints)
    let sets: (free: Set<UInt64>, occupied: Set<UInt64>)
    if let evidence {
      if collect(points, origin: origin, maximumRange: maximumRangeMeters) {
        sets = volumeSets(evidence)
        evidence.clear()
      } else {
        sets = sparseSets(evidence, origin: origin)
      }
    } else {
      sets = referenceSets(points, origin: origin, maximumRange: maximumRangeMeters).sets
    }
    return (
      sets.free.sorted().map(VoxelKey.init(packed:)),
      sets.occupied.sorted().map(VoxelKey.init(packed:))
    )
  }

  /// The voxel's log-odds; nil when unknown.
  public func logOdds(_ key: VoxelKey) -> Float? {
    evidence == nil ? voxels[key.packed] : store.value(key)
  }
  /// What the map says about the voxel.
  public func state(_ key: VoxelKey) -> VoxelState {
    guard let value = logOdds(key) else { return .unknown }
    return value >= model.threshold ? .occupied : .free
  }

  /// Every known voxel with its log-odds, sorted by x, y, z. Allocates.
  public func knownVoxels() -> [(key: VoxelKey, logOdds: Float)] {
    var all: [(UInt64, Float)] = []
    if evidence == nil {
      all = voxels.map { ($0.key, $0.value) }
    } else {
      store.forEachVoxel { all.append(($0.packed, $1)) }
    }
    all.sort { $0.0 < $1.0 }
    return all.map { (VoxelKey(packed: $0.0), $0.1) }
  }

  /// Moves points to their voxel centres and keeps the first of each voxel. As in OctoMap a key
  /// outside the cube wraps around its 16 bits.
  private func discretized(_ points: [SIMD3<Float>]) -> [SIMD3<Float>] {
    var seen = Set<UInt64>()
    var kept: [SIMD3<Float>] = []
    for point in points {
      let scaled = (SIMD3<Double>(point) * inverse).rounded(.down)
      guard abs(scaled.x) < 1e9, abs(scaled.y) < 1e9, abs(scaled.z) < 1e9 else { continue }
      func wrapped(_ value: Double) -> Int32 { Int32(UInt16(truncatingIfNeeded: Int(value) + 32768)) - 32768 }
      let key = VoxelKey(x: wrapped(scaled.x), y: wrapped(scaled.y), z: wrapped(scaled.z))
      if seen.insert(key.packed).inserted { kept.append(key.center(voxelSize: voxelSizeMeters)) }
    }
    return kept
  }

  func update(_ key: VoxelKey, isHit: Bool) {
    voxels[key.packed] = model.updated(voxels[key.packed] ?? 0, isHit: isHit)
  }
}
