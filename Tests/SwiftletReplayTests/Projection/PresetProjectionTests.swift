import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// A rig of two cameras of different sizes and lenses over a plane, one looking left, one right.
private struct TwoCameras {
  let images: [AlignedBuffer<UInt8>]
  var frame: SensorFrame

  init() {
    func image(_ width: Int, _ height: Int, _ color: [UInt8]) -> AlignedBuffer<UInt8> {
      AlignedBuffer((0..<(width * height)).flatMap { _ in color })
    }
    images = [image(320, 180, [200, 40, 40]), image(256, 128, [40, 40, 200])]
    let forward = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    func camera(
      _ name: String, _ yaw: Double, _ lens: LensModel, _ width: Int, _ height: Int,
      _ pixels: AlignedBuffer<UInt8>
    ) -> CameraInput {
      let mount = RigidTransform(
        rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: yaw).matrix * forward
          * Quaternion(axis: SIMD3(1, 0, 0), radians: -0.1).matrix,
        translation: SIMD3(0, 0, 1.5))
      return CameraInput(
        name: name, timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
        intrinsics: CameraIntrinsics(
          focalX: Double(width) * 0.6, focalY: Double(width) * 0.6,
          centerX: Double(width - 1) / 2, centerY: Double(height - 1) / 2, lens: lens,
          widthPixels: width, heightPixels: height),
        egoFromCamera: mount, keyEgoFromCamera: mount, networkWidthPixels: 704,
        networkHeightPixels: 256,
        image: ImageView(
          base: UnsafePointer(pixels.pointer), widthPixels: width, heightPixels: height))
    }
    frame = SensorFrame(
      timestampNanoseconds: 0, worldFromEgo: .identity, resetsHistory: true,
      cameras: [
        camera("LEFT", .pi / 2, .pinhole, 320, 180, images[0]),
        camera("RIGHT", -.pi / 2, .fTheta([0, 1, 0, -0.05]), 256, 128, images[1]),
      ], lidars: [])
  }
}

struct PresetProjectionTests {
  @Test(arguments: ProjectionPreset.all.flatMap { [$0, $0.floored] })
  func `every preset runs on cameras of different sizes and keeps the weight of their points`(
    preset: ProjectionPreset
  ) throws {
    let rig = TwoCameras()
    let projection = try PresetProjection(
      preset, rig: rig.frame, engine: .best, pool: WorkerPool(threadCount: 2))
    let result = try withExtendedLifetime(rig) { try projection.project(rig.frame) }
    #expect(result.validCameras == ["LEFT", "RIGHT"])
    #expect(result.keptCount > 0 && result.keptCount < result.pointCount)
    let before = try #require(result.weightBefore)
    let after = try #require(result.weightAfter)
    #expect(before > 1 && abs(after - before) < 1e-4 * before)
    if preset.configuration.cellRule == .floor {
      #expect(result.keptByTruncationCount == nil)
    } else {
      #expect((result.keptByTruncationCount ?? -1) >= 0)
    }
    let again = try withExtendedLifetime(rig) { try projection.project(rig.frame) }
    #expect(!again.wasRebuilt)
  }

  @Test func `sixteen-bit features move the map by no more than their rounding`() throws {
    let rig = TwoCameras()
    try withExtendedLifetime(rig) {
      let maps = try [ElementType.float32, .float16, .bfloat16].map { type in
        let projection = try PresetProjection(
          .bevDetR50, rig: rig.frame, precision: type, engine: .best,
          pool: WorkerPool(threadCount: 1))
        _ = try projection.project(rig.frame)
        return projection.projection.bev.array
      }
      let largest = maps[0].map(abs).max() ?? 0
      #expect(maps[1] != maps[0] && maps[2] != maps[0])
      #expect(largestDifference(maps[0], maps[1]) <= largest * 0x1p-10)
      #expect(largestDifference(maps[0], maps[2]) <= largest * 0x1p-7)
    }
  }

  @Test func `the published augmentation comes out for 1600×900 and scales with other widths`() {
    for preset in ProjectionPreset.all {
      let same = preset.augmentation(rawWidthPixels: 1600, rawHeightPixels: 900)
      #expect(abs(same.a00 - preset.augmentation.a00) < 1e-12)
      #expect(abs(same.tx - preset.augmentation.tx) < 1e-9)
      #expect(abs(same.ty - preset.augmentation.ty) < 1e-9)
      let half = preset.augmentation(rawWidthPixels: 800, rawHeightPixels: 450)
      #expect(abs(half.a00 - 2 * same.a00) < 1e-12 && abs(half.ty - same.ty) < 1.001)
    }
  }

  @Test func `the ground seen from above is not mirrored: what lies left is left`() throws {
    let rig = TwoCameras()
    let ground = try withExtendedLifetime(rig) {
      try GroundImage(
        rig.frame, extentMeters: 10, cellMeters: 0.25, plane: GroundPlane(heightMeters: 0),
        blend: .feathered, engine: .best, pool: WorkerPool(threadCount: 2))
    }
    func color(row: Int, column: Int) -> [UInt8] {
      Array(ground.image.pixels[(3 * (row * 80 + column))..<(3 * (row * 80 + column) + 3)])
    }
    #expect(color(row: 40, column: 15) == [200, 40, 40])
    #expect(color(row: 40, column: 65) == [40, 40, 200])
    #expect(ground.cellsOfCamera.allSatisfy { $0 > 100 })
    var missing = rig.frame
    missing.cameras[0].isValid = false
    let half = try withExtendedLifetime(rig) {
      try GroundImage(
        missing, extentMeters: 10, cellMeters: 0.25, plane: GroundPlane(heightMeters: 0),
        blend: .mean, engine: .best, pool: WorkerPool(threadCount: 1))
    }
    #expect(half.cellsOfCamera[0] == 0 && half.cellsOfCamera[1] == ground.cellsOfCamera[1])
  }

  @Test(arguments: ["fast-bev", "simple-bev"])
  func `pulls see what each camera sees and skip a missing one`(method: String) throws {
    let rig = TwoCameras()
    var frame = rig.frame
    func pull(_ frame: SensorFrame) throws -> PullProjection {
      let pool = WorkerPool(threadCount: 2)
      return try method == "fast-bev"
        ? .fastBEV(frame, overlap: .mean, engine: .best, pool: pool)
        : .simpleBEV(frame, engine: .best, pool: pool)
    }
    try withExtendedLifetime(rig) {
      let whole = try pull(frame)
      #expect(whole.visibility.allSatisfy { $0.contains(1) })
      for (voxel, count) in whole.counts.enumerated() {
        #expect(Int32(whole.visibility[0][voxel]) + Int32(whole.visibility[1][voxel]) == count)
      }
      // Ego left is the map's larger y: red has the larger red chroma (channel 2).
      let map = whole.map
      let left = (map.sizeY * 3 / 4 * map.sizeX + map.sizeX / 2) * map.channels + 2
      let right = (map.sizeY / 4 * map.sizeX + map.sizeX / 2) * map.channels + 2
      #expect(map.features[left] > map.features[right])
      frame.cameras[1].isValid = false
      let half = try pull(frame)
      #expect(!half.visibility[1].contains(1) && half.visibility[0] == whole.visibility[0])
    }
  }
}
