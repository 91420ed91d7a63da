import Glibc
import Swiftlet

/// One frame against the map around it.
struct MinedScene {
  private let frame: SensorFrame
  private let pipeline: FramePipeline
  /// The road under the car, ego axes: some rigs have their origin there, others in the LiDAR.
  private let groundMeters: Double
  /// Of all valid scans, ego axes, outside of the own car.
  private let points: [SIMD3<Double>]

  struct Place {
    var distance: Double
    var text: String
  }
  struct Share {
    var value: Double
    var text: String
  }

  init(_ frame: SensorFrame, pipeline: FramePipeline) {
    self.frame = frame
    self.pipeline = pipeline
    var points: [SIMD3<Double>] = []
    let egoFromWorld = frame.worldFromEgo.inverse
    for lidar in frame.lidars where lidar.isValid {
      let egoFromLidar = egoFromWorld * lidar.worldFromLidar
      for index in 0..<lidar.points.count {
        let point = unsafe SIMD3<Double>(
          SIMD3(
            lidar.points.value(index, lidar.points.xByteOffset),
            lidar.points.value(index, lidar.points.yByteOffset),
            lidar.points.value(index, lidar.points.zByteOffset)))
        points.append(egoFromLidar * point)
      }
    }
    self.points = points
    let near = points.filter { abs($0.x) < 15 && abs($0.y) < 15 }.map(\.z).sorted()
    groundMeters = near.isEmpty ? 0 : near[near.count / 20]
  }

  // MARK: something moves

  private static let reachMeters = 25.0
  /// Points in a square metre before they are something.
  private static let minimumPointCount = 5
  /// Log-odds of a voxel that several scans found free.
  private static let surelyFree: Float = -1.2

  /// The nearest cluster of points in space that the map of earlier frames knew to be free all
  /// around: what stood still was there before.
  func nearestMoving() -> Place? {
    guard let map = pipeline.occupancy else { return nil }
    var counts: [SIMD2<Int>: Int] = [:]
    for point in points {
      let height = point.z - groundMeters
      let distance = (point.x * point.x + point.y * point.y).squareRoot()
      guard height > 0.5, height < 2.2, distance < Self.reachMeters,
        abs(point.y) > 1.2 || point.x > 4 || point.x < -1.5
      else { continue }
      guard isFreeAround(map.key(ofWorld: frame.worldFromEgo * point), map) else { continue }
      counts[SIMD2(Int(point.x.rounded(.down)), Int(point.y.rounded(.down))), default: 0] += 1
    }
    let clusters = counts.filter { $0.value >= Self.minimumPointCount }
    func distance(_ cell: SIMD2<Int>) -> Double {
      let (x, y) = (Double(cell.x) + 0.5, Double(cell.y) + 0.5)
      return (x * x + y * y).squareRoot()
    }
    let nearest = clusters.min {
      (distance($0.key), $0.key.x, $0.key.y) < (distance($1.key), $1.key.x, $1.key.y)
    }
    guard let nearest else { return nil }
    return Place(
      distance: distance(nearest.key),
      text: "\(nearest.value) points in free space at x \(nearest.key.x), y \(nearest.key.y) m")
  }

  private func isFreeAround(_ key: VoxelKey, _ map: OccupancyGrid) -> Bool {
    guard map.state(key) == .free, map.logOdds(key) ?? 0 < Self.surelyFree else { return false }
    for x: Int32 in -1...1 {
      for y: Int32 in -1...1 {
        for z: Int32 in -1...1 {
          let neighbour = VoxelKey(x: key.x + x, y: key.y + y, z: key.z + z)
          if map.state(neighbour) == .occupied { return false }
        }
      }
    }
    return true
  }

  // MARK: unknown space

  /// The share of unknown voxels where the ego will be before it could stop.
  func unknownAhead(speed: Double) -> Share? {
    guard let map = pipeline.occupancy else { return nil }
    let size = map.configuration.voxelSizeMeters
    // A second to react, then 5 m/s².
    let reach = min(max(speed + speed * speed / 10, 10), 40)
    var (unknown, total) = (0, 0)
    for x in stride(from: 5.0, through: 5 + reach, by: size) {
      for y in stride(from: -1.2, through: 1.2, by: size) {
        for z in stride(from: 0.4, through: 1.8, by: size) {
          let key = map.key(ofWorld: frame.worldFromEgo * SIMD3(x, y, groundMeters + z))
          guard map.covers(key) else { continue }
          total += 1
          if map.state(key) == .unknown { unknown += 1 }
        }
      }
    }
    guard total > 0 else { return nil }
    return Share(
      value: Double(unknown) / Double(total),
      text: "\(unknown) of \(total) voxels up to \(Int(5 + reach)) m ahead")
  }

  // MARK: cameras against LiDAR

  /// Where a recorded depth of a camera network is far from the nearest LiDAR point of its cell.
  /// Built-in depth is the LiDAR's own and is not compared.
  func depthDisagreement(recorded: SensorFrame) -> Share? {
    var (different, compared) = (0, 0)
    var worst: (camera: String, share: Double)?
    for camera in recorded.cameras where camera.isValid {
      guard let depth = camera.depth else { continue }
      let pair = compare(camera, depth)
      guard pair.compared > 0 else { continue }
      different += pair.different
      compared += pair.compared
      let share = Double(pair.different) / Double(pair.compared)
      if share > worst?.share ?? -1 { worst = (camera.name, share) }
    }
    guard compared >= 50, let worst else { return nil }
    return Share(
      value: Double(different) / Double(compared),
      text: "\(different) of \(compared) places, most in \(worst.camera)")
  }

  private func compare(
    _ camera: CameraInput, _ depth: TensorView
  ) -> (different: Int, compared: Int) {
    let bins = pipeline.configuration.depth
    let (binCount, rows, columns) = depth.shape
    guard binCount == bins.binCount, rows > 0, columns > 0 else { return (0, 0) }
    let cameraFromEgo = camera.keyEgoFromCamera.inverse
    var nearest: [Int: Double] = [:]
    for point in points {
      let p = cameraFromEgo * point
      guard p.z > bins.lowerMeters, p.z < bins.upperMeters else { continue }
      let network = camera.augmentation.applied(to: camera.intrinsics.pixel(of: p))
      let column = (network.x + 0.5) / Double(camera.networkWidthPixels) * Double(columns)
      let row = (network.y + 0.5) / Double(camera.networkHeightPixels) * Double(rows)
      guard column >= 0, row >= 0, column < Double(columns), row < Double(rows) else { continue }
      let cell = Int(row) * columns + Int(column)
      nearest[cell] = min(nearest[cell] ?? .infinity, p.z)
    }
    var different = 0
    for (cell, distance) in nearest {
      let seen = strongestBin(depth, row: cell / columns, column: cell % columns)
      let meters = bins.lowerMeters + (Double(seen) + 0.5) * bins.stepMeters
      if abs(meters - distance) > max(1 + bins.stepMeters / 2, 0.15 * distance) { different += 1 }
    }
    return (different, nearest.count)
  }

  /// Of logits and distributions alike.
  private func strongestBin(_ depth: TensorView, row: Int, column: Int) -> Int {
    var best = (bin: 0, value: -Float.infinity)
    for bin in 0..<depth.shape.0 {
      let at = bin * depth.strides.0 + row * depth.strides.1 + column * depth.strides.2
      let value = Self.element(depth, at)
      if value > best.value { best = (bin, value) }
    }
    return best.bin
  }

  private static func element(_ tensor: TensorView, _ index: Int) -> Float {
    let base = unsafe tensor.baseAddress
    switch tensor.elementType {
    case .float32: return unsafe base.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
    case .float16:
      return unsafe Float(base.loadUnaligned(fromByteOffset: index * 2, as: Float16.self))
    case .bfloat16:
      let bits = unsafe base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
      return Float(bitPattern: UInt32(bits) << 16)
    case .uint8: return unsafe Float(base.load(fromByteOffset: index, as: UInt8.self))
    }
  }
}
