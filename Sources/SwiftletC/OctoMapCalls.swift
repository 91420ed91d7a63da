import CSwiftlet
import Swiftlet

/// OctoMap's map, on the threads of a kernels handle.
@safe
final class OctoMapHandle: Handle {
  let map: ReferenceOccupancyMap

  init(_ map: ReferenceOccupancyMap) { self.map = map }
}

@c @implementation
public func swiftlet_octomap_create(
  _ kernels: OpaquePointer!, _ voxel_size: Double,
  _ model: UnsafePointer<swiftlet_sensor_model>!,
  _ octomap: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe create(at: octomap, error) { () throws(Failure) in
    var made: OctoMapHandle?
    unsafe try inside(kernels, KernelsHandle.self) { (handle) throws(Failure) in
      guard voxel_size >= 1e-3, voxel_size <= 100 else {
        throw .setting("voxel_size", "0.001 to 100", "\(voxel_size)")
      }
      // A pool of its own: the map may then be used beside the other kernels.
      guard let pool = WorkerPool(startingThreads: handle.pool.threadCount) else {
        throw Failure(Int(SWIFTLET_ERROR_SYSTEM), "threads: the system refuses them; ask for fewer")
      }
      made = OctoMapHandle(
        ReferenceOccupancyMap(
          voxelSizeMeters: voxel_size, model: unsafe try sensorModel(model),
          engine: handle.engine, pool: pool))
    }
    guard let made else { throw Failure.null("kernels") }
    return made
  }
}

private func sensorModel(
  _ model: UnsafePointer<swiftlet_sensor_model>?
) throws(Failure) -> OccupancyModel {
  guard let m = unsafe model?.pointee else { return .octoMap }
  for probability in [m.hit, m.miss, m.clamp_minimum, m.clamp_maximum, m.occupied_threshold] {
    guard probability > 0, probability < 1 else {
      throw .setting("model", "probabilities between 0 and 1", "\(probability)")
    }
  }
  let result = OccupancyModel(
    hitProbability: m.hit, missProbability: m.miss, minimumProbability: m.clamp_minimum,
    maximumProbability: m.clamp_maximum, thresholdProbability: m.occupied_threshold)
  do throws(ConfigurationError) { try result.validate() } catch { throw Failure(error) }
  return result
}

@c @implementation
public func swiftlet_octomap_destroy(_ octomap: OpaquePointer!) -> swiftlet_status {
  unsafe destroy(octomap, OctoMapHandle.self)
}

@c @implementation
public func swiftlet_octomap_insert(
  _ octomap: OpaquePointer!, _ points: UnsafePointer<Float>!, _ count: Int,
  _ origin: UnsafePointer<Float>!, _ maximum_range: Double, _ mode: swiftlet_insert_mode,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(octomap, OctoMapHandle.self, error) { (handle) throws(Failure) in
    guard (0...10_000_000).contains(count) else {
      throw .input("count", expected: "0 to 10,000,000 points",
        found: "\(UInt(bitPattern: count))", "split the scan")
    }
    guard let origin = unsafe origin else { throw Failure.null("origin") }
    guard unsafe points != nil || count == 0 else { throw Failure.null("points") }
    guard (0...2).contains(mode), maximum_range == maximum_range else {
      throw .input("mode", expected: "0, 1 or 2 and a range", found: "\(mode), \(maximum_range)",
        "use a SWIFTLET_INSERT constant and a number")
    }
    let eye = unsafe SIMD3(origin[0], origin[1], origin[2])
    guard VoxelKey(eye, inverseVoxelSize: 1 / handle.map.voxelSizeMeters) != nil else {
      throw .input("origin", expected: "a finite position within 32,768 voxels of 0",
        found: "\(eye)", "correct the origin or enlarge the voxels")
    }
    let world = (0..<count).map {
      unsafe SIMD3(points[3 * $0], points[3 * $0 + 1], points[3 * $0 + 2])
    }
    switch Int(mode) {
    case Int(SWIFTLET_INSERT_RAYS): handle.map.insertRays(worldPoints: world, origin: eye)
    default:
      handle.map.insert(
        worldPoints: world, origin: eye, maximumRangeMeters: maximum_range,
        isDiscretized: Int(mode) == Int(SWIFTLET_INSERT_DISCRETIZED))
    }
  }
}

@c @implementation
public func swiftlet_octomap_voxels(
  _ octomap: OpaquePointer!, _ keys: UnsafeMutablePointer<Int32>!,
  _ log_odds: UnsafeMutablePointer<Float>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(octomap, OctoMapHandle.self, error) { (handle) throws(Failure) in
    guard let count = unsafe count else { throw Failure.null("count") }
    let voxels = handle.map.knownVoxels()
    unsafe count.pointee = voxels.count
    guard capacity >= voxels.count, let keys = unsafe keys, let values = unsafe log_odds else {
      throw Failure(
        Int(SWIFTLET_ERROR_BUFFER),
        "voxels: expected room for \(voxels.count), found \(max(capacity, 0)); hand over larger arrays")
    }
    for (index, voxel) in voxels.enumerated() {
      unsafe keys[3 * index] = voxel.key.x
      unsafe keys[3 * index + 1] = voxel.key.y
      unsafe keys[3 * index + 2] = voxel.key.z
      unsafe values[index] = voxel.logOdds
    }
  }
}
