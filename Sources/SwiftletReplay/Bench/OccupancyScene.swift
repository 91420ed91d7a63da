import Foundation
import Swiftlet

/// A street whose geometry is known exactly, for judging occupancy maps against what is really
/// there: facades with gaps and balconies, parked and moving cars, poles, trees, people, a bridge.
/// Every scan is a function of the seed and its number alone.
public struct OccupancyScene: Sendable {
  /// A spinning LiDAR.
  public struct Sensor: Sendable {
    public var rows = 64
    public var columns = 2048
    public var lowestDegrees = -25.0
    public var highestDegrees = 15.0
    /// Half the width of the range noise, even.
    public var noiseMeters = 0.03
    /// Share of the rays without a return.
    public var dropoutShare = 0.01
    /// Azimuths without returns, in turns from the sensor's x axis; nil has returns all around.
    public var silentTurns: Range<Double>?
    /// Roll and pitch swing by so much.
    public var tiltDegrees = 0.5

    public init() {}
  }

  /// One scan in LiDAR axes, its pose, and where its rays really ended.
  public struct Scan: Sendable {
    /// x, y, z, 0 records.
    public var points: [Float] = []
    public var worldFromLidar = RigidTransform.identity
    /// World x, y, z of the noise-free returns from things that never move, flat.
    public var staticReturns: [Float] = []
    public var pointCount: Int { points.count / 4 }

    /// Calls `body` with a view of the points.
    public func withCloud<R>(_ body: (PointCloudView) throws -> R) rethrows -> R {
      try unsafe points.withUnsafeBytes { raw in
        try body(unsafe PointCloudView(base: raw.baseAddress, count: pointCount, byteStride: 16))
      }
    }
  }

  /// A box of the street's frame; it moves along x.
  struct Box {
    var lower: SIMD3<Double>
    var upper: SIMD3<Double>
    /// Metres a scan; 0 for what stands.
    var speed = 0.0

    func at(_ time: Double) -> Box {
      var box = self
      box.lower.x += speed * time
      box.upper.x += speed * time
      return box
    }
    func contains(_ p: SIMD3<Double>) -> Bool {
      p.x >= lower.x && p.x <= upper.x && p.y >= lower.y && p.y <= upper.y && p.z >= lower.z
        && p.z <= upper.z
    }
  }

  public let sensor: Sensor
  public let worldFromStreet: RigidTransform
  let seed: UInt64
  private(set) var boxes: [Box] = []

  /// - Parameters:
  ///   - length: metres the drive goes, one a scan.
  ///   - streetDegrees: the street's turn against the world's axes; turned streets also rise by
  ///     0.6 %. At 0 ground and facades lie on voxel faces of any voxel size that divides 0.4 m.
  public init(seed: UInt64, length: Int = 64, streetDegrees: Double = 17, sensor: Sensor = Sensor()) {
    self.seed = seed
    self.sensor = sensor
    let isTurned = streetDegrees != 0
    let rise = Quaternion(axis: SIMD3(0, 1, 0), radians: isTurned ? -0.006 : 0)
    worldFromStreet = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: streetDegrees * .pi / 180) * rise,
      translation: isTurned ? SIMD3(13.37, -7.77, 0.41) : SIMD3(16, -8, 0.4))
    var random = SplitMix(state: seed)
    for side in [-1.0, 1.0] {
      addFacades(side, Double(length) + 70, &random)
      addFurniture(side, Double(length) + 70, &random)
    }
    addTraffic(Double(length), &random)
    add(24, -12, 6, 24, 5.2, 6, 0)
  }

  /// A box from its near corner, its sizes, its heights and its speed.
  private mutating func add(
    _ x: Double, _ y: Double, _ length: Double, _ depth: Double, _ bottom: Double, _ top: Double,
    _ speed: Double
  ) {
    let side = y + depth
    boxes.append(
      Box(
        lower: SIMD3(x, min(y, side), bottom), upper: SIMD3(x + length, max(y, side), top),
        speed: speed))
  }

  private mutating func addFacades(_ side: Double, _ end: Double, _ random: inout SplitMix) {
    var x = -70.0
    while x < end {
      let width = (random.uniform(8, 20) / 0.4).rounded() * 0.4
      let front = side * (random.uniform(9, 11) / 0.4).rounded() * 0.4
      add(x, front, width - random.uniform(0, 3), side * 8, -0.5, random.uniform(5, 18), 0)
      if random.uniform(0, 1) < 0.6 {
        add(x + 1, front - side * 1.2, 3, side * 1.2, 3.1, 4.2, 0)
      }
      x += width
    }
  }

  private mutating func addFurniture(_ side: Double, _ end: Double, _ random: inout SplitMix) {
    var x = -70.0
    while x < end {
      x += random.uniform(6, 14)
      add(x, side * 4.2, 4.4, side * 1.8, -0.2, random.uniform(1.4, 1.9), 0)
      add(x + 5, side * 7, 0.2, side * 0.2, -0.5, random.uniform(4, 7), 0)
      add(x + 3, side * 7.6, 0.5, side * 0.5, -0.5, 1.75, 0)
      if random.uniform(0, 1) < 0.5 {
        add(x + 2, side * 7.2, 0.3, side * 0.3, -0.5, 2.6, 0)
        add(x + 0.9, side * 6.2, 2.5, side * 2.3, 2.6, 5, 0)
      }
    }
  }

  /// Cars ahead at about the drive's own pace and towards it; people who cross slowly along.
  private mutating func addTraffic(_ length: Double, _ random: inout SplitMix) {
    var x = -60.0
    while x < 3 * length + 60 {
      let oncoming = random.uniform(0.8, 1.3)
      add(x, 1.4, 4.4, 1.8, 0.1, 1.6, -oncoming)
      x += random.uniform(20, 45)
    }
    x = 14
    while x < length + 60 {
      let ahead = random.uniform(0.5, 1.4)
      add(x, -2.4, 4.4, 1.8, 0.1, 1.6, ahead)
      add(x, 8, 0.5, 0.5, 0, 1.75, random.uniform(-0.15, 0.15))
      x += random.uniform(20, 45)
    }
  }
}

// MARK: scanning

extension OccupancyScene {
  /// Where the sensor stands at scan `index`.
  public func worldFromLidar(_ index: Int) -> RigidTransform {
    let time = Double(index)
    let tilt = sensor.tiltDegrees * .pi / 180
    let yaw = Quaternion(axis: SIMD3(0, 0, 1), radians: 0.02 * sin(time / 7))
    let pitch = Quaternion(axis: SIMD3(0, 1, 0), radians: tilt * sin(time / 3))
    let roll = Quaternion(axis: SIMD3(1, 0, 0), radians: tilt * cos(time / 5))
    let place = SIMD3(time, 0.3 * sin(time / 9), 1.85)
    return worldFromStreet * RigidTransform(rotation: yaw * pitch * roll, translation: place)
  }

  /// Scan `index`; takes milliseconds in release builds.
  public func scan(_ index: Int) -> Scan {
    var scan = Scan()
    scan.worldFromLidar = worldFromLidar(index)
    let streetFromLidar = worldFromStreet.inverse * scan.worldFromLidar
    let view = View(boxes, time: Double(index), origin: streetFromLidar.translation)
    var random = SplitMix(state: seed &* 0x9e37 &+ UInt64(index) &* 0x1_0001 &+ 17)
    scan.points.reserveCapacity(4 * sensor.rows * sensor.columns)
    for row in 0..<sensor.rows {
      let step = (sensor.highestDegrees - sensor.lowestDegrees) / Double(max(1, sensor.rows - 1))
      let elevation = (sensor.lowestDegrees + step * Double(row)) * .pi / 180
      for column in 0..<sensor.columns {
        let turns = Double(column) / Double(sensor.columns)
        let isDropped = random.uniform(0, 1) < sensor.dropoutShare
        let noise = random.uniform(-sensor.noiseMeters, sensor.noiseMeters)
        if isDropped || sensor.silentTurns?.contains(turns) == true { continue }
        let direction = SIMD3(
          cos(elevation) * cos(2 * .pi * turns), cos(elevation) * sin(2 * .pi * turns),
          sin(elevation))
        add(direction, noise, streetFromLidar, view, &scan)
      }
    }
    return scan
  }

  private func add(
    _ direction: SIMD3<Double>, _ noise: Double, _ streetFromLidar: RigidTransform, _ view: View,
    _ scan: inout Scan
  ) {
    guard let hit = view.cast(streetFromLidar.rotation * direction), hit.range < 100 else { return }
    let point = direction * (hit.range + noise)
    scan.points.append(Float(point.x))
    scan.points.append(Float(point.y))
    scan.points.append(Float(point.z))
    scan.points.append(0)
    guard !hit.moves else { return }
    let end = scan.worldFromLidar * (direction * hit.range)
    scan.staticReturns.append(Float(end.x))
    scan.staticReturns.append(Float(end.y))
    scan.staticReturns.append(Float(end.z))
  }

  /// The boxes at one time, listed by the directions in which they are seen.
  private struct View {
    static let sectors = 256
    let origin: SIMD3<Double>
    var lists: [[Box]]

    init(_ boxes: [Box], time: Double, origin: SIMD3<Double>) {
      self.origin = origin
      lists = Array(repeating: [], count: Self.sectors)
      for box in boxes {
        let box = box.at(time)
        guard box.lower.x - origin.x < 75, origin.x - box.upper.x < 75 else { continue }
        add(box)
      }
    }

    /// Lists a box in every sector its corners span, and one more on either side.
    private mutating func add(_ box: Box) {
      let corners = [
        (box.lower.x, box.lower.y), (box.lower.x, box.upper.y), (box.upper.x, box.lower.y),
        (box.upper.x, box.upper.y),
      ]
      let middle = (box.lower + box.upper) / 2 - origin
      let center = atan2(middle.y, middle.x)
      var spread = 0.0
      for corner in corners {
        let angle = atan2(corner.1 - origin.y, corner.0 - origin.x) - center
        spread = max(spread, abs(angle - (angle / (2 * .pi)).rounded() * 2 * .pi))
      }
      let unit = Double(Self.sectors) / (2 * .pi)
      let first = Int(((center - spread) * unit).rounded(.down)) - 1
      let last = min(Int(((center + spread) * unit).rounded(.down)) + 1, first + Self.sectors - 1)
      for sector in first...last { lists[sector & (Self.sectors - 1)].append(box) }
    }

    /// Distance to the ground or to the nearest box, and whether that moves.
    func cast(_ direction: SIMD3<Double>) -> (range: Double, moves: Bool)? {
      var nearest = Double.infinity
      var moves = false
      if direction.z < 0 { nearest = -origin.z / direction.z }
      let turn = atan2(direction.y, direction.x) * Double(Self.sectors) / (2 * .pi)
      let (ix, iy, iz) = (1 / direction.x, 1 / direction.y, 1 / direction.z)
      for box in lists[Int(turn.rounded(.down)) & (Self.sectors - 1)] {
        let (ax, bx) = ((box.lower.x - origin.x) * ix, (box.upper.x - origin.x) * ix)
        let (ay, by) = ((box.lower.y - origin.y) * iy, (box.upper.y - origin.y) * iy)
        let (az, bz) = ((box.lower.z - origin.z) * iz, (box.upper.z - origin.z) * iz)
        let near = max(max(min(ax, bx), min(ay, by)), min(az, bz))
        let far = min(min(max(ax, bx), max(ay, by)), max(az, bz))
        if near > 0, near <= far, near < nearest {
          nearest = near
          moves = box.speed != 0
        }
      }
      return nearest.isFinite ? (nearest, moves) : nil
    }
  }

  /// Whether something that moves ever covers the middle of a voxel during scans `0..<count`, and at
  /// the last of them nothing reaches into it: neither what moves nor what stands, nor the ground.
  ///
  /// - Parameters:
  ///   - lower: the voxel's lower corner, metres in world.
  ///   - size: its edge, metres.
  public func isSwept(_ lower: SIMD3<Double>, size: Double, scans count: Int) -> Bool {
    let streetFromWorld = worldFromStreet.inverse
    let corners = (0..<8).map { corner in
      let sides = SIMD3(Double(corner & 1), Double(corner >> 1 & 1), Double(corner >> 2))
      return streetFromWorld * (lower + size * sides)
    }
    let middle = streetFromWorld * (lower + size / 2)
    let points = corners + [middle]
    guard !points.contains(where: { $0.z <= 0 }) else { return false }
    let left = boxes.map { $0.at(Double(count - 1)) }
    guard !left.contains(where: { box in points.contains(where: box.contains) }) else {
      return false
    }
    let movers = boxes.filter { $0.speed != 0 }
    return (0..<count).contains { time in
      movers.contains { $0.at(Double(time)).contains(middle) }
    }
  }
}
