import Glibc
import Swiftlet

/// The alignment of an earlier frame's BEV map to a later one's ego, by each published method.
public struct HistoryWarp {
  public enum Method: String, Sendable, CaseIterable {
    /// 2D affine by camera 0's poses, bilinear, aligned corners.
    case bevDet4D = "bevdet4d"
    /// 3D flow between ego poses, trilinear; the map as one layer of voxels.
    case fbOcc = "fb-occ"
    /// Nearest rotation about the published centre (100, 100), then a bilinear shift.
    case bevFormer = "bevformer"
    /// The same about the map's middle.
    case bevFormerMiddle = "bevformer-middle"
  }
  public var warped: BEVColors.Map
  /// Mean absolute difference of luma to the later map where both have data, before and after.
  public var differenceBefore: Double
  public var differenceAfter: Double
  public var comparedCellCount: Int

  /// - Parameters:
  ///   - earlier, later: the frames the maps were made of; only poses are read.
  public init(
    _ method: Method, earlierMap: BEVColors.Map, laterMap: BEVColors.Map, earlier: SensorFrame,
    later: SensorFrame, engine: Engine, pool: WorkerPool
  ) {
    let moved = Self.move(method, earlierMap, earlier, later, engine, pool)
    warped = earlierMap
    warped.features = moved.features
    warped.validity = moved.validity
    (differenceBefore, _) = Self.difference(earlierMap, laterMap, also: moved.validity)
    (differenceAfter, comparedCellCount) = Self.difference(
      warped, laterMap, also: earlierMap.validity)
  }

  private typealias Cells = (features: [Float], validity: [UInt8])

  private static func move(
    _ method: Method, _ map: BEVColors.Map, _ earlier: SensorFrame, _ later: SensorFrame,
    _ engine: Engine, _ pool: WorkerPool
  ) -> Cells {
    let earlierFromLater = earlier.worldFromEgo.inverse * later.worldFromEgo
    switch method {
    case .bevDet4D: return affine(map, earlier, later, engine, pool)
    case .fbOcc: return trilinear(map, earlierFromLater, engine, pool)
    case .bevFormer, .bevFormerMiddle:
      let center =
        method == .bevFormer
        ? BEVRotation.publishedCenter : BEVRotation.middle(width: map.sizeX, height: map.sizeY)
      return rotated(map, earlierFromLater, center, engine, pool)
    }
  }

  /// Validity is warped with the map: as the last channel of a copy, 1 where valid.
  private static func affine(
    _ map: BEVColors.Map, _ earlier: SensorFrame, _ later: SensorFrame, _ engine: Engine,
    _ pool: WorkerPool
  ) -> Cells {
    let current = later.cameras.first?.keyEgoFromCamera ?? .identity
    let previous =
      later.worldFromEgo.inverse * earlier.worldFromEgo
      * (earlier.cameras.first?.keyEgoFromCamera ?? .identity)
    let warp = BEVWarp(
      width: map.sizeX, height: map.sizeY, channels: map.channels, engine: engine, pool: pool)
    let source = AlignedBuffer(map.features)
    let validity = AlignedBuffer(map.validity)
    unsafe warp.warp(
      UnsafeBufferPointer(source.elements), validity: UnsafeBufferPointer(validity.elements),
      by: .bevDet4D(
        keyFromCurrentCamera: current, keyFromPreviousCamera: previous,
        lowerMeters: map.lowerMeters, stepMeters: map.stepMeters))
    return (warp.output.array, warp.validity.array)
  }

  private static func trilinear(
    _ map: BEVColors.Map, _ earlierFromLater: RigidTransform, _ engine: Engine, _ pool: WorkerPool
  ) -> Cells {
    // A single layer: the vertical part of the motion would leave it.
    var flat = earlierFromLater
    flat.translation.z = 0
    let flow = VoxelWarp.fbOccFlow(
      previousFromCurrent: AffineTransform(
        linear: Matrix3(
          SIMD3(flat.rotation.row0.x, flat.rotation.row0.y, 0),
          SIMD3(flat.rotation.row1.x, flat.rotation.row1.y, 0), SIMD3(0, 0, 1)),
        translation: flat.translation),
      augmentationPrevious: .identity, augmentationCurrent: .identity,
      lowerMeters: SIMD3(map.lowerMeters.x, map.lowerMeters.y, 0),
      stepMeters: SIMD3(map.stepMeters.x, map.stepMeters.y, 1))
    func warp(_ values: [Float], _ channels: Int) -> [Float] {
      let warp = VoxelWarp(
        sizeX: map.sizeX, sizeY: map.sizeY, sizeZ: 1, channels: channels, engine: engine,
        pool: pool)
      let source = AlignedBuffer(values)
      unsafe warp.warp(UnsafeBufferPointer(source.elements), flow: flow)
      return warp.output.array
    }
    let share = warp(map.validity.map { Float($0) }, 1)
    return (warp(map.features, map.channels), share.map { $0 > 0.999 ? 1 : 0 })
  }

  private static func rotated(
    _ map: BEVColors.Map, _ earlierFromLater: RigidTransform, _ center: SIMD2<Double>,
    _ engine: Engine, _ pool: WorkerPool
  ) -> Cells {
    let r = earlierFromLater.rotation
    let yaw = atan2(r.row1.x, r.row0.x)
    // BEVFormer turns by the yaw since the previous frame; its lidar frame looks along y, so its
    // shift along y is ours along x.
    let motion = earlierFromLater.rotation.transpose * earlierFromLater.translation
    let shift = BEVRotation.shift(
      translation: SIMD2(motion.x, motion.y), yawRadians: 0, cellMeters: map.stepMeters,
      width: map.sizeX, height: map.sizeY)
    func turn(_ values: [Float], _ channels: Int) -> [Float] {
      let source = AlignedBuffer(values)
      let turned = AlignedBuffer<Float>(count: values.count)
      unsafe BEVRotation.rotate(
        UnsafeBufferPointer(source.elements), width: map.sizeX, height: map.sizeY,
        channels: channels, angleDegrees: yaw * 180 / .pi, center: center,
        into: turned.elements, engine: engine, pool: pool)
      return turned.array
    }
    let warp = BEVWarp(
      width: map.sizeX, height: map.sizeY, channels: map.channels, engine: engine, pool: pool)
    let source = AlignedBuffer(turn(map.features, map.channels))
    let validity = AlignedBuffer(turn(map.validity.map { Float($0) }, 1).map { UInt8($0) })
    unsafe warp.warp(
      UnsafeBufferPointer(source.elements), validity: UnsafeBufferPointer(validity.elements),
      by: BEVPixelTransform(
        xx: 1, xy: 0, x0: shift.y * Double(map.sizeY), yx: 0, yy: 1,
        y0: -shift.x * Double(map.sizeX)))
    return (warp.output.array, warp.validity.array)
  }

  private static func difference(
    _ a: BEVColors.Map, _ b: BEVColors.Map, also: [UInt8]
  ) -> (mean: Double, count: Int) {
    var sum = 0.0
    var count = 0
    for cell in a.validity.indices
    where a.validity[cell] != 0 && b.validity[cell] != 0 && also[cell] != 0 {
      let difference = a.features[cell * a.channels] - b.features[cell * b.channels]
      sum += Double(abs(difference))
      count += 1
    }
    return (count > 0 ? sum / Double(count) : 0, count)
  }
}

extension AffineTransform {
  fileprivate static let identity = AffineTransform(linear: .identity, translation: .zero)
}
