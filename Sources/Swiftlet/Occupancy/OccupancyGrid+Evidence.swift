extension ByteModel {
  /// Another sensor's hit and miss in the steps and between the clamps of a window's own model; at
  /// least one step each.
  init(_ model: OccupancyModel, in window: ByteModel) {
    stepsPerUnit = window.stepsPerUnit
    hit = Int8(max(1, min(127, (model.hit * window.stepsPerUnit).rounded())))
    miss = Int8(min(-1, max(-127, (model.miss * window.stepsPerUnit).rounded())))
    minimum = window.minimum
    maximum = window.maximum
    threshold = window.threshold
  }
}

extension OccupancyModel {
  /// Depth that a network guessed: a quarter of a LiDAR's say for hits, less for what lies before.
  public static let cameraDepth = OccupancyModel(
    hitProbability: 0.56, missProbability: 0.47, minimumProbability: 0.1192,
    maximumProbability: 0.971, thresholdProbability: 0.5)
  /// A radar return somewhere in a wide beam: many voxels share one hit.
  public static let radar = OccupancyModel(
    hitProbability: 0.55, missProbability: 0.48, minimumProbability: 0.1192,
    maximumProbability: 0.971, thresholdProbability: 0.5)
}

extension OccupancyGrid {
  /// Folds everything added since the last fold with another sensor's hit and miss; the window's own
  /// clamps and threshold stay, and so do the marks of what moves. Fold the LiDARs' scan first.
  /// Nothing added changes nothing.
  ///
  /// - Precondition: hit above 0, miss below 0; a window of int8 values.
  @discardableResult
  public func fold(model: OccupancyModel) -> ScanSummary {
    precondition(model.hit > 0 && model.miss < 0, "a hit of \(model.hit), a miss of \(model.miss)")
    precondition(exactLines.count == 0, "int16 windows take the model of one sensor, int8 several")
    let bytes = ByteModel(model, in: byteModel)
    evidenceModel = bytes
    modelBytes[0] = bytes.hit
    modelBytes[1] = bytes.miss
    defer {
      evidenceModel = nil
      modelBytes[0] = byteModel.hit
      modelBytes[1] = byteModel.miss
    }
    return fold()
  }
}

/// Points made up for a sensor that gives something else, in the sensor's axes. Made once; nothing
/// allocates afterwards.
@safe
public final class EvidencePoints {
  public let capacity: Int
  /// [point][4]: x, y, z, 0.
  let points: AlignedBuffer<Float>
  public private(set) var count = 0
  /// Points that did not fit since the last `clear`.
  public private(set) var droppedCount = 0

  public init(capacity: Int) {
    self.capacity = capacity
    points = AlignedBuffer(count: 4 * capacity)
  }

  public func clear() {
    count = 0
    droppedCount = 0
  }

  /// The points so far, valid until the next change.
  public var view: PointCloudView {
    unsafe PointCloudView(base: UnsafeRawPointer(points.pointer), count: count, byteStride: 16)
  }

  func append(_ point: SIMD3<Float>) {
    guard count < capacity else {
      droppedCount += 1
      return
    }
    unsafe points.pointer[4 * count] = point.x
    unsafe points.pointer[4 * count + 1] = point.y
    unsafe points.pointer[4 * count + 2] = point.z
    count += 1
  }

  public subscript(index: Int) -> SIMD3<Float> {
    precondition(index >= 0 && index < count, "point \(index) of \(count)")
    return SIMD3(points[4 * index], points[4 * index + 1], points[4 * index + 2])
  }

  // MARK: camera depth

  /// One point a pixel, in camera axes, at the depth its distribution favours: the most likely bin's
  /// middle (of equal ones the nearest). Pixels whose best bin is not finite or less likely than
  /// `minimumProbability`, and those that see past the last bin, say nothing.
  ///
  /// - Parameters:
  ///   - depth: [bin][y][x] probabilities.
  ///   - rays: [y][x][2], x/z and y/z of every pixel, NaN where there is none.
  ///   - binCount: depth bins of a pixel.
  ///   - lowerMeters: lower edge of the first bin, along the camera's z.
  ///   - stepMeters: width of a bin.
  ///   - minimumProbability: what the best bin must reach.
  /// - Precondition: `depth` has bins · pixels values, `rays` two a pixel.
  public func append(
    depth: AlignedBuffer<Float>, rays: AlignedBuffer<Float>, binCount: Int, lowerMeters: Float,
    stepMeters: Float, minimumProbability: Float = 0.3
  ) {
    let pixels = rays.count / 2
    precondition(
      depth.count == binCount * pixels,
      "\(depth.count) depth values for \(binCount) bins of \(pixels) pixels")
    for pixel in 0..<pixels {
      var best = -1
      var highest = minimumProbability
      for bin in 0..<binCount {
        let value = unsafe depth.pointer[bin * pixels + pixel]
        // Written so that NaN fails and the nearest of equals wins.
        if value > highest || best < 0 && value == highest {
          highest = value
          best = bin
        }
      }
      let x = unsafe rays.pointer[2 * pixel]
      let y = unsafe rays.pointer[2 * pixel + 1]
      guard best >= 0, best < binCount - 1, highest < .infinity, abs(x) < 100, abs(y) < 100 else {
        continue
      }
      let z = lowerMeters + (Float(best) + 0.5) * stepMeters
      append(SIMD3(x * z, y * z, z))
    }
  }

  // MARK: radar

  /// A return anywhere in a wide beam: points on the arc at its range, at most `spacingMeters` apart,
  /// over the beam's width in azimuth and elevation. One fold counts a voxel once, however many of
  /// them lie in it, so that a beam gives every voxel of its arc one hit and of its cone one miss.
  ///
  /// - Parameters:
  ///   - point: in the radar's axes, metres.
  ///   - halfWidthRadians: of the beam, in azimuth and in elevation.
  ///   - spacingMeters: between points of the arc, at most.
  /// - Returns: false when the return is not finite or at the radar itself.
  @discardableResult
  public func append(
    radar point: SIMD3<Float>, halfWidthRadians: SIMD2<Float>, spacingMeters: Float
  ) -> Bool {
    let range = (point * point).sum().squareRoot()
    let isGood =
      range > 0 && range < 1e4 && spacingMeters > 0 && halfWidthRadians.x >= 0
      && halfWidthRadians.x <= .pi && halfWidthRadians.y >= 0 && halfWidthRadians.y <= .pi / 2
    guard isGood else { return false }
    // Held to 256 before it becomes an integer: a tiny spacing would leave Int's range.
    func steps(_ half: Float) -> Int { Int(min(256, (half * range / spacingMeters).rounded(.up))) }
    let (across, up) = (steps(halfWidthRadians.x), steps(halfWidthRadians.y))
    for row in -up...up {
      for column in -across...across {
        let a = across == 0 ? 0 : halfWidthRadians.x * Float(column) / Float(across)
        let e = up == 0 ? 0 : halfWidthRadians.y * Float(row) / Float(up)
        append(Self.turned(point, azimuth: a, elevation: e))
      }
    }
    return true
  }

  /// Turned about the sensor's z by the azimuth after being tilted by the elevation.
  private static func turned(
    _ point: SIMD3<Float>, azimuth: Float, elevation: Float
  ) -> SIMD3<Float> {
    let flat = (point.x * point.x + point.y * point.y).squareRoot()
    let (ce, se) = cosineAndSine(elevation)
    let (ca, sa) = cosineAndSine(azimuth)
    let reach = flat * ce - point.z * se
    let z = flat * se + point.z * ce
    // Straight up or down there is no azimuth.
    let direction = flat > 0 ? SIMD2(point.x / flat, point.y / flat) : SIMD2(1, 0)
    return SIMD3(
      reach * (direction.x * ca - direction.y * sa), reach * (direction.x * sa + direction.y * ca),
      z)
  }
}
