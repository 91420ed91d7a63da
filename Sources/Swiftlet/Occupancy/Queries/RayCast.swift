/// Why a ray ended.
public enum RayState: UInt8, Sendable {
  /// Nothing stopped it within the range asked for.
  case rangeReached = 0
  /// It met an occupied voxel.
  case occupied = 1
  /// It met an unknown voxel, where these stop rays.
  case unknown = 2
  /// It left the window, or never met it.
  case leftWindow = 3
  /// Its direction is zero or not finite.
  case noDirection = 4
}

/// What one ray met.
public struct RayHit: Sendable, Equatable {
  public var state: RayState
  /// From the origin to where the ray enters `key`; the range when that was reached.
  public var distanceMeters: Float
  /// The voxel it ended in; for `leftWindow` the first one outside.
  public var key: VoxelKey
}

extension OccupancyGrid {
  /// The first occupied voxel along a ray. Allocates nothing.
  ///
  /// - Parameters:
  ///   - origin: metres in world.
  ///   - direction: in world, of any length.
  ///   - maximumRangeMeters: where rays end that hit nothing.
  ///   - stopsAtUnknown: an unknown voxel of the window ends the ray as well.
  /// - Precondition: The origin lies within 10⁹ voxels of the window, the range is below 10⁹ voxels.
  public func castRay(
    from origin: SIMD3<Double>, direction: SIMD3<Float>, maximumRangeMeters: Double,
    stopsAtUnknown: Bool = false
  ) -> RayHit {
    let view = WindowView(self)
    let start = view.local(origin)
    let limit = maximumRangeMeters / view.voxelSize
    Self.checkRay(start, limit)
    let directions: InlineArray<3, Float> = [direction.x, direction.y, direction.z]
    var distance: Float = 0
    var state: UInt8 = 0
    var key: InlineArray<3, Int32> = [0, 0, 0]
    unsafe withUnsafeBytes(of: directions) { raw in
      unsafe withUnsafeMutableBytes(of: &key) { keys in
        unsafe withUnsafeMutablePointer(to: &distance) { distance in
          unsafe withUnsafeMutablePointer(to: &state) { state in
            unsafe CastRaysJob(
              view: view, engine: engine, start: start, limit: limit,
              stopsAtUnknown: stopsAtUnknown, count: 1,
              directions: raw.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Float.self),
              distances: distance, states: state,
              keys: keys.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int32.self)
            ).run(part: 0, of: 1)
          }
        }
      }
    }
    return RayHit(
      state: RayState(rawValue: state) ?? .noDirection, distanceMeters: distance,
      key: VoxelKey(x: key[0], y: key[1], z: key[2]))
  }

  /// The first occupied voxel along many rays from one origin, shared out over the pool's threads.
  /// The voxels are those of Amanatides and Woo's walk with crossings computed in float64, ties to
  /// z before y before x: the same for every engine and thread count. Allocates nothing.
  ///
  /// - Parameters:
  ///   - origin: metres in world.
  ///   - directions: [ray][3] in world, of any length.
  ///   - maximumRangeMeters: where rays end that hit nothing.
  ///   - stopsAtUnknown: an unknown voxel of the window ends a ray as well.
  ///   - distancesMeters: [ray], from the origin to where the ray enters its last voxel.
  ///   - states: [ray], `RayState` raw values.
  ///   - keys: [ray][3], the voxel each ray ended in.
  /// - Precondition: The buffers hold what `directions` asks for; origin and range are finite and
  ///   below 10⁹ voxels.
  @unsafe
  public func castRays(
    from origin: SIMD3<Double>, directions: UnsafeBufferPointer<Float>,
    maximumRangeMeters: Double, stopsAtUnknown: Bool = false,
    distancesMeters: UnsafeMutableBufferPointer<Float>,
    states: UnsafeMutableBufferPointer<UInt8>, keys: UnsafeMutableBufferPointer<Int32>
  ) {
    let count = directions.count / 3
    precondition(
      distancesMeters.count >= count && states.count >= count && keys.count >= 3 * count,
      "\(count) rays need as many distances and states and three times the keys, not "
        + "\(distancesMeters.count), \(states.count), \(keys.count)")
    let view = WindowView(self)
    let start = view.local(origin)
    let limit = maximumRangeMeters / view.voxelSize
    Self.checkRay(start, limit)
    guard count > 0, let source = directions.baseAddress,
      let distances = distancesMeters.baseAddress, let states = states.baseAddress,
      let keys = keys.baseAddress
    else { return }
    unsafe pool.run(
      CastRaysJob(
        view: view, engine: engine, start: start, limit: limit, stopsAtUnknown: stopsAtUnknown,
        count: count, directions: source, distances: distances, states: states, keys: keys))
  }

  private static func checkRay(_ start: SIMD3<Double>, _ limit: Double) {
    precondition(
      abs(start.x) < 1e9 && abs(start.y) < 1e9 && abs(start.z) < 1e9 && limit < 1e9 && limit >= 0,
      "a ray of \(limit) voxels from \(start) voxels off the window")
  }
}

@safe
struct CastRaysJob: PartitionedJob {
  let view: WindowView
  let engine: Engine
  let start: SIMD3<Double>
  let limit: Double
  let stopsAtUnknown: Bool
  let count: Int
  let directions: UnsafePointer<Float>
  let distances: UnsafeMutablePointer<Float>
  let states: UnsafeMutablePointer<UInt8>
  let keys: UnsafeMutablePointer<Int32>

  func run(part: Int, of parts: Int) {
    let range = partition(count, part: part, of: parts, grain: 8)
    guard case .simd(let set) = engine else { return runReference(range) }
    let origin: InlineArray<5, Double> = [start.x, start.y, start.z, limit, view.voxelSize]
    unsafe view.withLayout { layout in
      unsafe withUnsafeBytes(of: origin) { raw in
        unsafe QueryKernels.castWindowRays(
          set, view.occupied, view.known, layout,
          raw.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Double.self), directions,
          range.lowerBound, range.upperBound, stopsAtUnknown ? .max : 0, distances, states, keys)
      }
    }
  }

  private func runReference(_ range: Range<Int>) {
    for ray in range {
      let direction = unsafe SIMD3(
        directions[3 * ray], directions[3 * ray + 1], directions[3 * ray + 2])
      let end = view.castRayReference(
        from: start, direction: SIMD3<Double>(direction), limit: limit,
        stopsAtUnknown: stopsAtUnknown)
      let key = view.key(end.voxel)
      unsafe distances[ray] = Float(end.distance * view.voxelSize)
      unsafe states[ray] = end.state.rawValue
      unsafe keys[3 * ray] = key.x
      unsafe keys[3 * ray + 1] = key.y
      unsafe keys[3 * ray + 2] = key.z
    }
  }
}
