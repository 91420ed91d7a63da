import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct GroundWarpTests {
  /// Looks straight down from `height`, image x along ego -y… rows along ego -x.
  private func camera(_ lens: LensModel, width: Int, height: Int) -> GroundCamera {
    let down = Matrix3(SIMD3(0, -1, 0), SIMD3(-1, 0, 0), SIMD3(0, 0, -1))
    return GroundCamera(
      intrinsics: CameraIntrinsics(
        focalX: 2, focalY: 2, centerX: 2, centerY: 1.5, lens: lens, widthPixels: width,
        heightPixels: height),
      egoFromCamera: RigidTransform(rotation: down, translation: SIMD3(0, 0, 1)))
  }

  @Test(arguments: Engine.everyEngine)
  func `a camera one metre above the ground reads the pixel worked out by hand`(
    engine: Engine
  ) throws {
    let warp = GroundWarp(
      width: 2, height: 4, lowerMeters: SIMD2(-0.5, -1), stepMeters: SIMD2(0.5, 0.5),
      plane: GroundPlane(heightMeters: 0), engine: engine, pool: WorkerPool(threadCount: 2))
    warp.setCameras([camera(.pinhole, width: 5, height: 4)])
    let image = AlignedBuffer<UInt8>((0..<60).map { UInt8($0) })
    try warp.warp([ImageView(base: image.pointer, widthPixels: 5, heightPixels: 4)])
    // Cell (0, 0): x = -0.25, y = -0.75, camera point (0.75, 0.25, 1), pixel (3.5, 2).
    #expect(warp.colors[0] == Float(2 * 15 + 3 * 3) + 1.5)
    #expect(warp.counts[0] == 1)
    try warp.warp([nil])
    #expect(warp.colors.array.allSatisfy { $0 == 0 })
    #expect(warp.counts.array.allSatisfy { $0 == 0 })
  }

  @Test(arguments: Engine.simdSets)
  func `SIMD matches the reference for every lens and width, any threads`(engine: Engine) throws {
    var random = SeededGenerator(seed: 95)
    let image = AlignedBuffer<UInt8>(
      (0..<(40 * 31 * 3)).map { _ in UInt8.random(in: 0...255, using: &random) })
    for (width, lens) in [
      (1, LensModel.pinhole), (15, .brownConrady([-0.1, 0.01, 0.001, 0.002])), (16, .pinhole),
      (17, .brownConrady([0.2, -0.1, 0, 0.001, 0.01, 0.1, 0.02, 0])),
      (33, .kannalaBrandt([0.01, -0.002, 0.001, 0])), (18, .fTheta([0, 1, 0.02, -0.05])),
      (31, .fThetaInverse([0, 1, -0.02, 0.06])),
    ] {
      var first = camera(lens, width: 31, height: 40)
      first.intrinsics.centerX = 15
      first.intrinsics.centerY = 19
      first.intrinsics.focalX = 11
      first.intrinsics.focalY = 12
      var second = first
      second.egoFromCamera.translation = SIMD3(0.3, -0.2, 1.4)
      let view = ImageView(base: image.pointer, widthPixels: 31, heightPixels: 40)
      let results = try [(Engine.reference, 1), (engine, 1), (engine, 3)].map { engine, threads in
        let warp = GroundWarp(
          width: width, height: 9, lowerMeters: SIMD2(-2, -1), stepMeters: SIMD2(0.11, 0.2),
          plane: GroundPlane(slopeX: 0.05, heightMeters: 0.1), engine: engine,
          pool: WorkerPool(threadCount: threads))
        warp.setCameras([first, second])
        warp.colors.fill(.nan)
        try warp.warp([view, view])
        return (warp.colors.array, warp.counts.array)
      }
      #expect(largestDifference(results[0].0, results[1].0) <= 255 * 16 * 0x1p-24)
      #expect(results[0].1 == results[1].1)
      #expect(results[1].0 == results[2].0)
      #expect(results[0].1.contains { $0 > 0 })
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `fuzzed calibrations of every lens give an error or finite colours`(engine: Engine) throws {
    var random = SeededGenerator(seed: 96)
    let image = AlignedBuffer<UInt8>([UInt8](repeating: 200, count: 31 * 40 * 3))
    let view = ImageView(base: image.pointer, widthPixels: 31, heightPixels: 40)
    let extremes = [0, -1, 1e-30, 1e30, -1e30, 1e300, .infinity, .nan, 0.5, 1e4]
    let warp = GroundWarp(
      width: 17, height: 9, lowerMeters: SIMD2(-2, -1), stepMeters: SIMD2(0.3, 0.3),
      plane: GroundPlane(heightMeters: 0), engine: engine, pool: WorkerPool(threadCount: 2))
    var accepted = 0
    for trial in 0..<300 {
      let value = extremes.randomElement(using: &random) ?? 0
      let lenses: [LensModel] = [
        .pinhole, .brownConrady([value, 0.1, 0, 0]), .kannalaBrandt([0.01, value, 0, 0]),
        .fTheta([0, 1, value]), .brownConrady([0.1, 0, 0, 0, 0, value, 0, 0]),
        .fThetaInverse([0, 1, value]),
      ]
      var fuzzed = camera(lenses[trial % lenses.count], width: 31, height: 40)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: fuzzed.intrinsics.focalX = value
      case 1: fuzzed.intrinsics.centerY = value
      case 2: fuzzed.egoFromCamera.translation.z = value
      case 3: fuzzed.egoFromCamera.rotation.row1.x = value
      default: break
      }
      do {
        try fuzzed.intrinsics.validate(sensor: "CAM")
        try fuzzed.egoFromCamera.validate(sensor: "CAM")
      } catch { continue }
      accepted += 1
      warp.setCameras([fuzzed, camera(.pinhole, width: 31, height: 40)])
      try warp.warp([view, view])
      let isGood = warp.colors.array.allSatisfy { $0.isFinite && $0 >= 0 && $0 <= 255.01 }
      #expect(isGood, "\(fuzzed)")
    }
    #expect(accepted > 50)
  }

  @Test func `an image of another size is a typed error, the limit keeps the lens monotonic`() {
    let warp = GroundWarp(
      width: 2, height: 2, lowerMeters: .zero, stepMeters: .one,
      plane: GroundPlane(heightMeters: 0), engine: .best, pool: WorkerPool(threadCount: 1))
    warp.setCameras([camera(.pinhole, width: 5, height: 4)])
    let image = AlignedBuffer<UInt8>(count: 60)
    #expect(throws: InputError.self) {
      try warp.warp([ImageView(base: image.pointer, widthPixels: 4, heightPixels: 5)])
    }
    // r (1 - 0.3 r²) grows up to r = 1/√0.9.
    let limit = LensModel.brownConrady([-0.3, 0, 0, 0]).monotonicLimit
    #expect(abs(limit - 1.054) < 0.002)
  }

  @Test(arguments: Engine.everyEngine)
  func `feathered cameras share a cell by their distance from the image's border`(
    engine: Engine
  ) throws {
    var first = camera(.pinhole, width: 31, height: 40)
    first.intrinsics.centerX = 9
    first.intrinsics.centerY = 19
    var second = first
    second.egoFromCamera.translation = SIMD3(0, -4, 1)
    let dark = AlignedBuffer<UInt8>([UInt8](repeating: 10, count: 31 * 40 * 3))
    let light = AlignedBuffer<UInt8>([UInt8](repeating: 210, count: 31 * 40 * 3))
    let warp = GroundWarp(
      width: 1, height: 1, lowerMeters: SIMD2(-0.5, -0.5), stepMeters: SIMD2(1, 1),
      plane: GroundPlane(heightMeters: 0), blend: .feathered, engine: engine,
      pool: WorkerPool(threadCount: 1))
    warp.setCameras([first, second])
    try warp.warp([
      ImageView(base: dark.pointer, widthPixels: 31, heightPixels: 40),
      ImageView(base: light.pointer, widthPixels: 31, heightPixels: 40),
    ])
    // The cell is in the middle of the first image (weight 1), and 8 pixels off in the second: at
    // u = 9 − 2 · 4 = 1, a weight of 10 / 31.
    let weight = Float(10.0 / 31)
    #expect(warp.counts[0] == 2)
    #expect(abs(warp.colors[0] - (10 + 210 * weight) / (1 + weight)) < 1e-3)
  }
}
