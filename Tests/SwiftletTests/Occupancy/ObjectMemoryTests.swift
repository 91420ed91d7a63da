import Swiftlet
import SwiftletTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A street with a bus and a car that a LiDAR at the origin scans, frame by frame.
private struct StreetScene {
  struct Box {
    var lower: SIMD3<Double>
    var upper: SIMD3<Double>
  }
  var boxes: [Box] = []

  static func box(_ middle: SIMD2<Double>, _ size: SIMD3<Double>) -> Box {
    Box(
      lower: SIMD3(middle.x - size.x / 2, middle.y - size.y / 2, -1.8),
      upper: SIMD3(middle.x + size.x / 2, middle.y + size.y / 2, -1.8 + size.z))
  }

  /// Returns of the rays to the left (y above 0) from boxes or the ground, 1.8 m below the sensor.
  func scan() -> [SIMD3<Float>] {
    var points: [SIMD3<Float>] = []
    for azimuth in 0..<360 {
      for beam in 0..<40 {
        let (a, e) = (Double(azimuth) * .pi / 360, (Double(beam) - 32) * 0.5 * .pi / 180)
        let d = SIMD3(cos(a) * cos(e), sin(a) * cos(e), sin(e))
        var nearest = d.z < 0 ? -1.8 / d.z : 60.0
        for box in boxes {
          var (enter, exit) = (0.0, 60.0)
          for axis in 0..<3 {
            let p = box.lower[axis] / d[axis]
            let q = box.upper[axis] / d[axis]
            enter = max(enter, min(p, q))
            exit = min(exit, max(p, q))
          }
          if enter < exit, enter < nearest { nearest = enter }
        }
        if nearest < 40 { points.append(SIMD3<Float>(d * nearest)) }
      }
    }
    return points
  }
}

/// Grid, layer, finder, tracker, visibility and memory in a frame loop.
private final class StreetWatch {
  let grid: OccupancyGrid
  let layer: ObstacleLayer
  let finder: ObstacleFinder
  let tracker = ObstacleTracker()
  let visibility: VisibilityMap
  let memory: ObjectMemory
  var time: Int64 = 0

  init() throws {
    var c = OccupancyConfiguration()
    c.voxelSizeMeters = 0.4
    c.cellCountX = 160
    c.cellCountY = 160
    c.cellCountZ = 16
    c.lowerZMeters = -2.4
    c.maximumRangeMeters = 40
    c.maximumPointCount = 40_000
    c.mode = .realtime
    c.aging = OccupancyAgingConfiguration()
    let pool = WorkerPool(threadCount: 1)
    grid = try OccupancyGrid(configuration: c, engine: .best, pool: pool)
    layer = try ObstacleLayer(for: grid)
    finder = ObstacleFinder(for: grid, minimumVoxelCount: 4)
    var v = VisibilityConfiguration()
    v.lowerMeters = SIMD3(-40, -40, -2.4)
    visibility = try VisibilityMap(configuration: v, pool: pool)
    memory = ObjectMemory()
  }

  func see(_ scene: StreetScene) {
    time += 100_000_000
    let points = scene.scan()
    withCloud(points) { cloud in
      grid.advance(toNanoseconds: time)
      grid.recenter(onWorld: .zero)
      grid.insert(cloud, worldFromLidar: .identity)
      let lidar = LidarInput(
        name: "L", timestampNanoseconds: time, ageNanoseconds: 0, isValid: true, points: cloud,
        egoFromLidar: .identity, worldFromLidar: .identity)
      let frame = SensorFrame(
        timestampNanoseconds: time, worldFromEgo: .identity, resetsHistory: false, cameras: [],
        lidars: [lidar])
      visibility.update(frame, grid: grid)
    }
    layer.update(from: grid, groundPosition: SIMD3(3, 0, -1.8))
    finder.find(in: layer)
    tracker.update(finder.obstacles, count: finder.count, atNanoseconds: time)
    memory.update(
      finder.obstacles, count: finder.count, atNanoseconds: time, visibility: visibility,
      worldFromEgo: .identity)
  }
  var objects: [RememberedObject] { (0..<memory.count).map { memory.objects[$0] } }
  func nearest(to x: Double, _ y: Double) -> RememberedObject? {
    objects.min { a, b in
      func distance(_ o: RememberedObject) -> Double {
        let d = SIMD2(o.obstacle.center.x - x, o.obstacle.center.y - y)
        return (d * d).sum()
      }
      return distance(a) < distance(b)
    }
  }
}

@Suite struct ObjectMemoryTests {
  // The bus's near corners hide everything at y = 14 with |x| < 5.5 · 14 / 6.75 = 11.4: a car of
  // 4.4 m is seen whole up to x = −13.6 (frame 10) and not at all from −9.2 to 9.2 (15 to 33).
  private let bus = StreetScene.box(SIMD2(0, 8), SIMD3(11, 2.5, 3))
  /// What rays that pass end at.
  private let wall = StreetScene.box(SIMD2(0, 20), SIMD3(78, 1, 4))
  private func carX(_ frame: Int) -> Double { -24 + Double(frame) }
  private func car(_ frame: Int) -> StreetScene.Box {
    StreetScene.box(SIMD2(carX(frame), 14), SIMD3(4.4, 1.8, 1.5))
  }

  /// The street without the car first: what drives into space long free is there at once.
  private func makeWatch() throws -> StreetWatch {
    let watch = try StreetWatch()
    for _ in 0..<6 { watch.see(StreetScene(boxes: [bus, wall])) }
    return watch
  }

  @Test func `a car that drives behind a bus stays, moves on, and is found again`() throws {
    let watch = try makeWatch()
    var identity: UInt64 = 0
    var confidences: [Double] = []
    for frame in 0..<44 {
      watch.see(StreetScene(boxes: [bus, wall, car(frame)]))
      let object = try #require(watch.nearest(to: carX(frame), 14))
      if frame == 9 {
        identity = object.identity
        // Both ends to a voxel at either time: 0.4 m of the middle's way over seven frames; and the
        // last frame's metre may be left at the rear where no ray passed yet: 0.5 m more. No trail.
        #expect(abs(object.obstacle.velocity.x - 10) < 0.9 / 0.7, "\(object)")
        #expect(object.obstacle.size.x < 4.4 + 0.4 + 1, "\(object)")
      }
      let isHidden = abs(carX(frame)) < 9
      if isHidden {
        // While the car goes behind the bus its front end stands still for the LiDAR. Up to 15 % of
        // its length that counts as seen whole: 0.35 m off, and 0.5 m/s more than the speed was off
        // by, for the two seconds until it comes out.
        #expect(object.identity == identity, "frame \(frame): \(object)")
        let bound = 0.35 + 2 * (0.5 + 0.9 / 0.7)
        #expect(abs(object.obstacle.center.x - carX(frame)) < bound, "frame \(frame): \(object)")
        if !object.isSeen { confidences.append(object.confidence) }
      }
    }
    #expect(confidences.count >= 15)
    for (a, b) in zip(confidences, confidences.dropFirst()) { #expect(b < a) }
    // Unseen for 1.8 to 2 s of a half-life of 2 s.
    #expect((confidences.last ?? 0) > 0.49)
    let last = try #require(watch.nearest(to: carX(43), 14))
    #expect(last.isSeen && last.confidence == 1 && last.identity == identity, "\(last)")
    #expect(watch.memory.foundAgainCount >= 1)
  }

  @Test func `an object that is gone when its place is seen again is refuted`() throws {
    let watch = try makeWatch()
    for frame in 0..<23 { watch.see(StreetScene(boxes: [bus, wall, car(frame)])) }
    let hidden = try #require(watch.nearest(to: carX(22), 14))
    #expect(!hidden.isSeen && abs(hidden.obstacle.center.y - 14) < 2)
    // The bus leaves and there is no car.
    watch.see(StreetScene(boxes: [wall]))
    watch.see(StreetScene(boxes: [wall]))
    #expect(watch.memory.refutedCount >= 1)
    #expect(!watch.objects.contains { $0.identity == hidden.identity })
  }

  @Test func `confidence halves in its half-life until the object is forgotten`() throws {
    let watch = try makeWatch()
    for frame in 0..<23 { watch.see(StreetScene(boxes: [bus, wall, car(frame)])) }
    let hidden = try #require(watch.nearest(to: carX(22), 14))
    #expect(!hidden.isSeen)
    // The car stands still behind the bus: the memory's box drives on, out of sight at first.
    let before = hidden.confidence
    watch.see(StreetScene(boxes: [bus, wall, car(22)]))
    let after = try #require(watch.objects.first { $0.identity == hidden.identity })
    #expect(abs(after.confidence / before - exp2(-0.1 / 2)) < 1e-9)
    for _ in 0..<80 { watch.see(StreetScene(boxes: [bus, wall, car(22)])) }
    #expect(!watch.objects.contains { $0.identity == hidden.identity })
  }
}
