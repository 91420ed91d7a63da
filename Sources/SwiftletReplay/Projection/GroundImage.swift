import Swiftlet

/// Inverse perspective mapping of a recording's frame to a picture: forward is up, left is left.
public struct GroundImage {
  public var image: RGBImage
  /// Cells that at least one camera sees, that two or more see, and all.
  public var seenCount: Int
  public var sharedCount: Int
  public var cellCount: Int
  /// Per camera of the frame: cells seen; 0 for one that is missing.
  public var cellsOfCamera: [Int]
  public var counts: [Int32]

  /// Maps the valid cameras that have an image.
  ///
  /// - Parameters:
  ///   - extentMeters: ahead, behind and to either side.
  /// - Throws: `CalibrationError` or `InputError` naming the camera, or for a frame without any.
  public init(
    _ frame: SensorFrame, extentMeters: Double, cellMeters: Double, plane: GroundPlane,
    blend: GroundBlend, engine: Engine, pool: WorkerPool
  ) throws {
    let side = max(1, Int((2 * extentMeters / cellMeters).rounded()))
    let warp = GroundWarp(
      width: side, height: side, lowerMeters: SIMD2(-extentMeters, -extentMeters),
      stepMeters: SIMD2(cellMeters, cellMeters), plane: plane, blend: blend, engine: engine,
      pool: pool)
    let usable = frame.cameras.indices.filter {
      frame.cameras[$0].isValid && frame.cameras[$0].image != nil
    }
    guard (1...16).contains(usable.count) else {
      throw InputError(
        input: "cameras", expected: "1 to 16 cameras with an image", found: "\(usable.count)",
        remedy: "choose a frame that has images")
    }
    for index in usable {
      let camera = frame.cameras[index]
      try camera.intrinsics.validate(sensor: camera.name)
      try camera.keyEgoFromCamera.validate(sensor: camera.name)
    }
    warp.setCameras(
      usable.map {
        GroundCamera(
          intrinsics: frame.cameras[$0].intrinsics,
          egoFromCamera: frame.cameras[$0].keyEgoFromCamera)
      })
    try warp.warp(usable.map { frame.cameras[$0].image })
    cellsOfCamera = [Int](repeating: 0, count: frame.cameras.count)
    for (position, index) in usable.enumerated() {
      cellsOfCamera[index] = warp.visibility(camera: position).count { $0 != 0 }
    }
    counts = warp.counts.array
    cellCount = counts.count
    seenCount = counts.count { $0 > 0 }
    sharedCount = counts.count { $0 > 1 }
    image = Self.picture(warp, side)
  }

  /// Picture row r shows x = upper − r, column c shows y = upper − c.
  private static func picture(_ warp: GroundWarp, _ side: Int) -> RGBImage {
    var image = RGBImage(widthPixels: side, heightPixels: side)
    for row in 0..<side {
      for column in 0..<side {
        let cell = (side - 1 - column) * side + side - 1 - row
        guard warp.counts[cell] > 0 else { continue }
        for channel in 0..<3 {
          image.pixels[3 * (row * side + column) + channel] = UInt8(
            max(0, min(255, warp.colors[3 * cell + channel].rounded())))
        }
      }
    }
    return image
  }
}

extension SensorFrame {
  /// Every valid LiDAR's points in key ego axes.
  public var pointsInKeyEgo: [SIMD3<Double>] {
    var points: [SIMD3<Double>] = []
    let egoFromWorld = worldFromEgo.inverse
    for lidar in lidars where lidar.isValid {
      let egoFromLidar = egoFromWorld * lidar.worldFromLidar
      let cloud = lidar.points
      for index in 0..<cloud.count {
        let point = unsafe SIMD3<Float>(
          cloud.value(index, cloud.xByteOffset), cloud.value(index, cloud.yByteOffset),
          cloud.value(index, cloud.zByteOffset))
        points.append(egoFromLidar * SIMD3<Double>(point))
      }
    }
    return points
  }
}
