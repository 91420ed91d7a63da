import CSwiftlet
import Swiftlet

/// What the distance, cost-map and obstacle queries keep beside the window.
final class QueryState {
  let groundBelowEgoMeters: Double
  let distances: DistanceField
  let layer: ObstacleLayer
  let costs: CostMap
  let finder: ObstacleFinder
  let tracker: ObstacleTracker

  init(_ o: swiftlet_query_options, _ grid: OccupancyGrid) throws(Failure) {
    for value in [
      o.maximum_distance, o.inscribed_radius, o.inflation_radius, o.decay, o.ground_below_ego,
      o.ground_step, o.lowest, o.highest,
    ] where !(abs(value) < 1e6) {
      throw .setting("queries", "finite settings", "\(value)")
    }
    guard (1...65_536).contains(o.obstacle_capacity), (1...1_000_000).contains(o.minimum_voxels)
    else {
      throw .setting(
        "queries", "1 to 65,536 obstacles of 1 to 1,000,000 voxels",
        "\(o.obstacle_capacity), \(o.minimum_voxels)")
    }
    var layer = ObstacleLayerConfiguration()
    layer.groundStepMeters = o.ground_step
    layer.lowestMeters = o.lowest
    layer.highestMeters = o.highest
    var costs = CostMapConfiguration()
    costs.inscribedRadiusMeters = o.inscribed_radius
    costs.inflationRadiusMeters = o.inflation_radius
    costs.decayPerMeter = o.decay
    groundBelowEgoMeters = o.ground_below_ego
    do throws(ConfigurationError) {
      distances = try DistanceField(for: grid, maximumDistanceMeters: o.maximum_distance)
      self.layer = try ObstacleLayer(for: grid, configuration: layer)
      self.costs = try CostMap(for: grid, configuration: costs)
    } catch { throw Failure(error) }
    finder = ObstacleFinder(
      for: grid, minimumVoxelCount: Int(o.minimum_voxels), capacity: Int(o.obstacle_capacity))
    tracker = ObstacleTracker(capacity: Int(o.obstacle_capacity))
  }

  func update(_ grid: OccupancyGrid, _ worldFromEgo: RigidTransform, _ time: Int64) {
    distances.update(from: grid)
    layer.update(
      from: grid, groundPosition: worldFromEgo * SIMD3(0, 0, -groundBelowEgoMeters))
    costs.update(from: layer)
    let count = finder.find(in: layer)
    tracker.update(finder.obstacles, count: count, atNanoseconds: time)
  }
}

extension PipelineHandle {
  /// A position in world that a query may be made at.
  func checkPosition(_ p: SIMD3<Double>, _ grid: OccupancyGrid, _ name: String) throws(Failure) {
    let reach = max(abs(p.x), abs(p.y), abs(p.z)) / grid.configuration.voxelSizeMeters
    guard p.x == p.x, p.y == p.y, p.z == p.z, reach < 4e8 else {
      throw .input(
        name, expected: "a finite position within 400,000,000 voxels of the origin", found: "\(p)",
        "correct the position")
    }
  }

  func needQueries() throws(Failure) -> QueryState {
    guard let queries else { throw .state("prepared queries", "swiftlet_pipeline_prepare_queries") }
    guard queriesAreCurrent else { throw .state("updated queries", "swiftlet_pipeline_update_queries") }
    return queries
  }
}

@c @implementation
public func swiftlet_query_options_init(_ options: UnsafeMutablePointer<swiftlet_query_options>!) {
  guard let options = unsafe options else { return }
  var made = swiftlet_query_options()
  made.struct_size = UInt32(MemoryLayout<swiftlet_query_options>.size)
  made.minimum_voxels = 4
  made.obstacle_capacity = 4096
  made.maximum_distance = 4
  made.inscribed_radius = 1
  made.inflation_radius = 3
  made.decay = 1.5
  made.ground_step = 0.2
  made.lowest = 0.3
  made.highest = 2.5
  unsafe options.pointee = made
}

@c @implementation
public func swiftlet_pipeline_prepare_queries(
  _ pipeline: OpaquePointer!, _ options: UnsafePointer<swiftlet_query_options>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    var given = swiftlet_query_options()
    unsafe swiftlet_query_options_init(&given)
    if unsafe options != nil { given = unsafe try structure(options, "options") }
    handle.queries = try QueryState(given, grid)
    handle.queriesAreCurrent = false
  }
}

@c @implementation
public func swiftlet_pipeline_update_queries(
  _ pipeline: OpaquePointer!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    try handle.needResults()
    guard let queries = handle.queries else {
      throw .state("prepared queries", "swiftlet_pipeline_prepare_queries")
    }
    queries.update(grid, handle.resultWorldFromEgo, handle.resultTime)
    handle.queriesAreCurrent = true
  }
}

@c @implementation
public func swiftlet_query_rays(
  _ pipeline: OpaquePointer!, _ origin: UnsafePointer<Double>!,
  _ directions: UnsafePointer<Float>!, _ count: Int, _ maximum_range: Double,
  _ stops_at_unknown: Int32, _ distances: UnsafeMutablePointer<Float>!,
  _ states: UnsafeMutablePointer<swiftlet_ray_state>!, _ keys: UnsafeMutablePointer<Int32>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    try checkCount(count, "count")
    guard let origin = unsafe origin else { throw Failure.null("origin") }
    let from = unsafe SIMD3(origin[0], origin[1], origin[2])
    try handle.checkPosition(from, grid, "origin")
    guard maximum_range >= 0, maximum_range / grid.configuration.voxelSizeMeters < 1e6 else {
      throw .input("maximum_range", expected: "0 to 1,000,000 voxels", found: "\(maximum_range)",
        "give metres")
    }
    guard count > 0 else { return }
    guard let directions = unsafe directions, let distances = unsafe distances,
      let states = unsafe states, let keys = unsafe keys
    else { throw Failure.null("directions, distances, states or keys") }
    unsafe grid.castRays(
      from: from, directions: UnsafeBufferPointer(start: directions, count: 3 * count),
      maximumRangeMeters: maximum_range, stopsAtUnknown: stops_at_unknown != 0,
      distancesMeters: UnsafeMutableBufferPointer(start: distances, count: count),
      states: UnsafeMutableBufferPointer(start: states, count: count),
      keys: UnsafeMutableBufferPointer(start: keys, count: 3 * count))
  }
}

@c @implementation
public func swiftlet_query_box(
  _ pipeline: OpaquePointer!, _ world_from_box: UnsafePointer<Double>!,
  _ size: UnsafePointer<Double>!, _ result: UnsafeMutablePointer<swiftlet_box_result>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    let pose = try unsafe rigid(world_from_box, "world_from_box")
    try handle.checkPosition(pose.translation, grid, "world_from_box")
    let edges = unsafe try boxSize(size, grid)
    guard let result = unsafe result else { throw Failure.null("result") }
    let found = grid.occupancy(of: pose, size: edges)
    unsafe result.pointee = swiftlet_box_result(
      free: Int64(found.freeCount), unknown: Int64(found.unknownCount),
      occupied: Int64(found.occupiedCount), outside: Int64(found.outsideCount))
  }
}

/// The edges of a box that a query may be made with.
func boxSize(
  _ size: UnsafePointer<Double>?, _ grid: OccupancyGrid
) throws(Failure) -> SIMD3<Double> {
  guard let size = unsafe size else { throw Failure.null("size") }
  let edges = unsafe SIMD3(size[0], size[1], size[2])
  let most = OccupancyGrid.maximumBoxVoxels * grid.configuration.voxelSizeMeters
  // Written so that NaN is refused.
  guard edges.min() >= 0, edges.max() <= most, edges.x == edges.x, edges.y == edges.y,
    edges.z == edges.z
  else {
    throw .input(
      "size", expected: "edges of 0 to \(most) metres", found: "\(edges)", "ask about smaller boxes")
  }
  return edges
}

@c @implementation
public func swiftlet_query_distances(
  _ pipeline: OpaquePointer!, _ positions: UnsafePointer<Double>!, _ count: Int,
  _ distances: UnsafeMutablePointer<Float>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    let queries = try handle.needQueries()
    try checkCount(count, "count")
    guard count > 0 else { return }
    guard let positions = unsafe positions, let distances = unsafe distances else {
      throw Failure.null("positions or distances")
    }
    for index in 0..<count {
      let p = unsafe SIMD3(
        positions[3 * index], positions[3 * index + 1], positions[3 * index + 2])
      let reach = max(abs(p.x), abs(p.y), abs(p.z)) / grid.configuration.voxelSizeMeters
      let isPlace = p.x == p.x && p.y == p.y && p.z == p.z && reach < 1e9
      let found = isPlace ? queries.distances.distanceMeters(at: p, in: grid) : nil
      unsafe distances[index] = found.map { Float($0) } ?? .nan
    }
  }
}

@c @implementation
public func swiftlet_query_cost_map(
  _ pipeline: OpaquePointer!, _ view: UnsafeMutablePointer<swiftlet_cost_map_view>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let view = unsafe view else { throw Failure.null("view") }
    let map = try handle.needQueries().costs
    unsafe view.pointee = unsafe swiftlet_cost_map_view(
      costs: map.costs.pointer, rows: Int64(map.rows), columns: Int64(map.columns),
      lower_x: map.lowerMeters.x, lower_y: map.lowerMeters.y, cell_size: map.resolutionMeters)
  }
}

@c @implementation
public func swiftlet_query_obstacles(
  _ pipeline: OpaquePointer!, _ obstacles: UnsafeMutablePointer<swiftlet_obstacle>!,
  _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let count = unsafe count else { throw Failure.null("count") }
    let finder = try handle.needQueries().finder
    unsafe count.pointee = finder.count
    guard let obstacles = unsafe obstacles else { return }
    for index in 0..<finder.count where index < capacity || capacity < 0 {
      let o = finder.obstacles[index]
      unsafe obstacles[index] = swiftlet_obstacle(
        center: (o.center.x, o.center.y, o.center.z), size: (o.size.x, o.size.y, o.size.z),
        velocity: (o.velocity.x, o.velocity.y, o.velocity.z), yaw: o.yawRadians,
        height: o.heightMeters, voxels: Int64(o.voxelCount), identity: o.identity)
    }
  }
}
