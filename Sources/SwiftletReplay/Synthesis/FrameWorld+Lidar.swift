import Swiftlet

/// One revolution of the LiDAR.
struct LidarSweep {
  /// A noise-free ray in snapshot coordinates: what the ground truth is made of.
  struct Beam {
    var origin: SIMD3<Float>
    /// Where the ray ends: the surface, or the maximum range.
    var end: SIMD3<Float>
    var hits: Bool
  }
  /// x y z intensity ring of each return, LiDAR axes.
  var points: [Float] = []
  var times: [Float] = []
  /// Object of each return, −1 for the street itself.
  var objects: [Int32] = []
  /// `SyntheticLabel` of each return.
  var labels: [UInt8] = []
  var beams: [Beam] = []
}

extension FrameWorld {
  /// Casts every beam where the car and the street are at that instant. Returns carry 2 cm of range
  /// noise and one in a hundred is lost; they are brought to the sweep's stamp by the ego's motion
  /// unless a raw sweep is wanted.
  func scan() -> LidarSweep {
    let lidar = drive.rig.lidar
    var sweep = LidarSweep()
    sweep.beams.reserveCapacity(lidar.azimuthCount * lidar.beamCount)
    sweep.points.reserveCapacity(lidar.azimuthCount * lidar.beamCount * 5)
    let stamp = SyntheticDrive.seconds(timestamp)
    let lidarFromSnapshotAtStamp =
      (snapshotFromEgo(seconds: stamp) * lidar.egoFromLidar).inverse
    for azimuth in 0..<lidar.azimuthCount {
      let offset = drive.rig.timeOffset(ofAzimuth: azimuth)
      let snapshotFromLidar = snapshotFromEgo(seconds: stamp + offset) * lidar.egoFromLidar
      let correction =
        drive.options.writesRawSweep
        ? RigidTransform.identity : lidarFromSnapshotAtStamp * snapshotFromLidar
      for beam in 0..<lidar.beamCount {
        cast(
          azimuth: azimuth, beam: beam, offset: offset, snapshotFromLidar: snapshotFromLidar,
          correction: correction, into: &sweep)
      }
    }
    return sweep
  }

  private func cast(
    azimuth: Int, beam: Int, offset: Double, snapshotFromLidar: RigidTransform,
    correction: RigidTransform, into sweep: inout LidarSweep
  ) {
    let lidar = drive.rig.lidar
    let directionInLidar = drive.rig.direction(azimuth: azimuth, beam: beam)
    let ray = ray(
      origin: snapshotFromLidar.translation,
      direction: snapshotFromLidar.rotation * directionInLidar, offset: offset)
    let hit = tree.firstHit(ray, limit: lidar.maximumRangeMeters)
    let reach = hit?.distance ?? lidar.maximumRangeMeters
    sweep.beams.append(
      LidarSweep.Beam(
        origin: ray.origin, end: ray.origin + ray.direction * reach, hits: hit != nil))
    guard let hit else { return }
    var random = StreetRandom(seed: drive.options.seed, 70, index, azimuth, beam)
    if random.chance(lidar.dropoutProbability) { return }
    let range = Double(hit.distance + lidar.rangeNoiseMeters * random.normal())
    let point = correction * (directionInLidar * range)
    sweep.points.append(Float(point.x))
    sweep.points.append(Float(point.y))
    sweep.points.append(Float(point.z))
    sweep.points.append(intensity(ray, hit, noise: random.normal()))
    sweep.points.append(Float(beam))
    sweep.times.append(Float(offset))
    sweep.objects.append(hit.primitive < 0 ? -1 : tree.primitives[Int(hit.primitive)].object)
    sweep.labels.append(label(hit).rawValue)
  }

  private func label(_ hit: SceneTree.Hit) -> SyntheticLabel {
    guard hit.primitive >= 0 else { return .driveableSurface }
    let primitive = tree.primitives[Int(hit.primitive)]
    guard primitive.object >= 0 else { return SyntheticLabel(primitive.material) }
    return SyntheticLabel(snapshot.objects[Int(primitive.object)].category)
  }

  /// Reflectivity times the cosine of incidence, 0...255 as in nuScenes.
  private func intensity(_ ray: SceneRay, _ hit: SceneTree.Hit, noise: Float) -> Float {
    var normal = SIMD3<Float>(0, 0, 1)
    var material = SceneMaterial.road
    let point = ray.origin + ray.direction * hit.distance
    if hit.primitive >= 0 {
      let primitive = tree.primitives[Int(hit.primitive)]
      material = primitive.material
      normal = primitive.rotatedOut(
        primitive.localNormal(primitive.local(point, time: ray.time)))
    }
    let painted =
      hit.primitive < 0
      && SceneLook.road(x: snapshot.originX + Double(point.x), y: point.y, distance: 0).x > 0.4
    let reflectivity = painted ? 0.6 : SceneLook.reflectivity(material)
    let cosine = abs((normal * ray.direction).sum())
    let value = 255 * reflectivity * (0.25 + 0.75 * cosine) * (1 + 0.04 * noise)
    return max(0, min(255, value)).rounded()
  }

  /// Annotated boxes: every object within 60 m that returned at least one point.
  func boxes(seenBy sweep: LidarSweep) -> [SyntheticFrame.Box] {
    var counts = [Int](repeating: 0, count: snapshot.objects.count)
    for object in sweep.objects where object >= 0 { counts[Int(object)] += 1 }
    let world = worldFromSnapshot
    let ego = snapshotFromEgo(seconds: SyntheticDrive.seconds(timestamp)).translation
    var boxes: [SyntheticFrame.Box] = []
    for (object, count) in zip(snapshot.objects, counts) where count > 0 {
      let center = SIMD3<Double>(object.center)
      guard ((center - ego) * (center - ego)).sum() < 3600 else { continue }
      let turn = Quaternion(axis: SIMD3(0, 0, 1), radians: Double(object.heading))
      boxes.append(
        SyntheticFrame.Box(
          identity: object.identity, category: object.category,
          worldFromBox: world * RigidTransform(rotation: turn, translation: center),
          size: SIMD3<Double>(object.size),
          velocityInWorld: world.rotation * SIMD3<Double>(object.velocity),
          isMoving: object.isMoving, lidarPointCount: count))
    }
    return boxes
  }
}
