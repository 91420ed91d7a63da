import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct PullTests {
  /// Two cameras of different sizes; pixel = voxel x + offset on row 0, at depth 1.
  private func pull(_ rule: VoxelOverlap, _ engine: Engine, threads: Int = 1, channels: Int = 1)
    -> VoxelPull
  {
    let pull = VoxelPull(
      cameras: [
        FrustumLayout.Camera(featureWidth: 4, featureHeight: 1),
        FrustumLayout.Camera(featureWidth: 3, featureHeight: 2),
      ], sizeX: 5, sizeY: 1, sizeZ: 1, channels: channels, overlap: rule, engine: engine,
      pool: WorkerPool(threadCount: threads))
    for (camera, offset) in [(0, 0.0), (1, 1.0)] {
      pull.setCamera(
        camera, projection: [1, 0, 0, offset, 0, 0, 0, 0, 0, 0, 0, 1],
        originMeters: SIMD3(2, 0.5, 0.5), voxelMeters: .one)
    }
    return pull
  }

  @Test(arguments: Engine.everyEngine)
  func `rounding ties and overlaps follow each rule`(engine: Engine) {
    // u = -0.5, 0.5, 1.5, 2.5, 3.5 in camera 0 (tokens 0…3), one more in camera 1 (tokens 4…6).
    let features: [Float] = [10, 11, 12, 13, 20, 21, 22, 0, 0, 0]
    let expected: [(VoxelOverlap, [Float])] = [
      (.last, [20, 22, 22, 12, 0]), (.first, [21, 11, 12, 13, 0]), (.mean, [15, 16, 17, 12, 0]),
    ]
    for (rule, values) in expected {
      let pull = pull(rule, engine)
      pull.volume.fill(.nan)
      features.withUnsafeBufferPointer { pull.pull($0) }
      #expect(pull.volume.array == values)
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `a missing camera gives way to the other`(engine: Engine) {
    let features: [Float] = [10, 11, 12, 13, 20, 21, 22, 0, 0, 0]
    let pull = pull(.last, engine, threads: 2)
    features.withUnsafeBufferPointer { pull.pull($0) }
    features.withUnsafeBufferPointer { pull.pull($0, cameras: .camera(0)) }
    #expect(pull.volume.array == [10, 10, 12, 12, 0])
  }

  @Test(arguments: Engine.simdSets)
  func `SimpleBEV's pull matches the reference at every channel tail`(engine: Engine) {
    var random = SeededGenerator(seed: 91)
    for channels in [1, 7, 15, 16, 17, 33] {
      let features = random.floats((9 * 5 + 6 * 4) * channels)
      let results = [(Engine.reference, 1), (engine, 1), (engine, 3)].map { engine, threads in
        let pull = BilinearPull(
          cameras: [
            FrustumLayout.Camera(featureWidth: 9, featureHeight: 5),
            FrustumLayout.Camera(featureWidth: 6, featureHeight: 4),
          ], sizeX: 7, sizeY: 3, sizeZ: 6, channels: channels, lowerMeters: SIMD3(-3, -1, 0.5),
          upperMeters: SIMD3(3, 1, 7), engine: engine, pool: WorkerPool(threadCount: threads))
        let view: [Double] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
        pull.setCamera(
          0, pixelFromReference: [4, 0, 4, 0, 0, 4, 2, 0, 0, 0, 1, 0, 0, 0, 0, 1],
          cameraFromReference: view)
        pull.setCamera(
          1, pixelFromReference: [3, 0, 2, 1, 0, 3, 1, 0, 0, 0, 1, 0.2, 0, 0, 0, 1],
          cameraFromReference: view)
        pull.volume.fill(.nan)
        features.withUnsafeBufferPointer { pull.pull($0) }
        return (pull.volume.array, pull.counts.array)
      }
      #expect(largestDifference(results[0].0, results[1].0) <= 8 * 0x1p-23)
      #expect(results[0].1 == results[1].1)
      #expect(results[1].0 == results[2].0)
      #expect(results[0].1.contains(2))
    }
  }

  @Test func `every preset has a name, its counts, and a floored twin`() throws {
    #expect(ProjectionPreset.bevDetR50.configuration.depthBins.count == 59)
    #expect(ProjectionPreset.fbOcc.configuration.grid.cellCount == 80_000)
    #expect(ProjectionPreset.bevFusion.configuration.grid.sizeX == 360)
    for preset in ProjectionPreset.all {
      let found = try ProjectionPreset.named(preset.name)
      let floored = try ProjectionPreset.named(preset.name + "-floor")
      #expect(found == preset)
      #expect(floored.configuration.cellRule == .floor)
    }
    #expect(throws: ConfigurationError.self) { try ProjectionPreset.named("bevdet-r18") }
  }
}
