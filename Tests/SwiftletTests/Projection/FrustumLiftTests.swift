import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct FrustumLiftTests {
  /// One camera looking along ego x with focal length 2 at (1, 1), 3×3 pixels, depths 1 and 2.
  private func tinyIndex(_ engine: Engine, _ rule: CellRule) -> BEVIndex {
    let layout = FrustumLayout(
      cameras: [FrustumLayout.Camera(featureWidth: 3, featureHeight: 3)], binCount: 2)
    let grid = BEVGrid(x: (0, 3, 1), y: (-1, 1, 0.5), z: (-0.5, 0.5, 1))
    let lift = FrustumLift(
      layout: layout, grid: grid, depthBins: DepthBins(values: [1, 2]), cellRule: rule,
      engine: engine)
    let forward = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    lift.setCamera(
      0, columns: [0, 1, 2], rows: [0, 1, 2],
      rayFromPixel: Matrix3(SIMD3(2, 0, 1), SIMD3(0, 2, 1), SIMD3(0, 0, 1)).inverse,
      rotation: forward, translation: .zero)
    let index = BEVIndex(
      layout: layout, cellCount: grid.cellCount, engine: engine,
      pool: WorkerPool(threadCount: 1))
    index.rebuild(lift)
    return index
  }

  @Test(arguments: Engine.everyEngine)
  func `a camera worked out by hand gives the right cells`(engine: Engine) {
    // Point of pixel (u, v) at depth d: (d, -(u-1)/2 d, -(v-1)/2 d). At d = 1 the y are 0.5, 0,
    // -0.5 (cells 3, 2, 1 of x cell 1) and z 0.5 (dropped), 0 and -0.5. At d = 2: y 1 (dropped), 0,
    // -1 (cells 2 and 0 of x cell 2); z 1 (dropped), 0, -1 (half a slab below: kept by truncation).
    let kept: [Int32] = [-1, -1, -1, 10, 7, 4, 10, 7, 4]
    let far: [Int32] = [-1, -1, -1, -1, 8, 2, -1, 8, 2]
    #expect(tinyIndex(engine, .truncation).pointRanks() == kept + far)
    let below: [Int32] = [-1, -1, -1, -1, 8, 2, -1, -1, -1]
    #expect(tinyIndex(engine, .floor).pointRanks() == kept + below)
  }

  @Test(arguments: Engine.simdSets)
  func `SIMD points and ranks have the reference's bits`(engine: Engine) {
    let bins = DepthBins.uniform(lower: 1, upper: 14, step: 0.5)
    for (seed, width) in zip(UInt64(1)..., [1, 7, 8, 15, 16, 17, 31, 33]) {
      let rig = TestRig(sizes: [(width, 3), (5, 2), (width + 2, 1)], channels: 1, bins: bins, seed: seed)
      for rule in [CellRule.truncation, .floor] {
        let scalar = lifted(rig, .reference, rule)
        let vector = lifted(rig, engine, rule)
        // A cell is a decision: one rounding less would move points over borders.
        #expect(scalar.ranks == vector.ranks)
        #expect(scalar.points == vector.points)
      }
    }
  }

  private func lifted(
    _ rig: TestRig, _ engine: Engine, _ rule: CellRule
  ) -> (ranks: [Int32], points: [Float]) {
    let layout = FrustumLayout(cameras: rig.sizes, binCount: rig.bins.count)
    let lift = FrustumLift(
      layout: layout, grid: TestRig.grid, depthBins: rig.bins, cellRule: rule, engine: engine)
    for (position, camera) in rig.cameras.enumerated() {
      _ = lift.setCamera(position, frustum(camera))
    }
    let index = BEVIndex(
      layout: layout, cellCount: TestRig.grid.cellCount, engine: engine,
      pool: WorkerPool(threadCount: 2))
    index.rebuild(lift)
    return (index.pointRanks(), lift.points())
  }

  private func frustum(_ camera: CameraInput) -> FrustumCamera {
    FrustumCamera(
      intrinsics: camera.intrinsics, egoFromCamera: camera.keyEgoFromCamera,
      networkWidthPixels: 128, networkHeightPixels: 64)
  }

  @Test func `setting the same calibration again reports no change, one bit more reports one`() {
    let layout = FrustumLayout(
      cameras: [FrustumLayout.Camera(featureWidth: 4, featureHeight: 2)], binCount: 1)
    let lift = FrustumLift(
      layout: layout, grid: TestRig.grid, depthBins: DepthBins(values: [5]), engine: .best)
    let rig = TestRig(sizes: [(4, 2)], channels: 1, bins: DepthBins(values: [5]), seed: 1)
    var geometry = frustum(rig.cameras[0])
    let first = lift.setCamera(0, geometry)
    let again = lift.setCamera(0, geometry)
    geometry.egoFromCamera.translation.x = geometry.egoFromCamera.translation.x.nextUp
    let moved = lift.setCamera(0, geometry)
    #expect([first, again, moved] == [true, false, true])
  }

  @Test func `templates are endpoint aligned and bins are lower edges`() {
    #expect(FrustumTemplate.endpointAligned(imageSize: 9, count: 5) == [0, 2, 4, 6, 8])
    #expect(FrustumTemplate.endpointAligned(imageSize: 9, count: 1) == [0])
    #expect(DepthBins.uniform(lower: 4, upper: 45, step: 1).count == 41)
    #expect(DepthBins.uniform(lower: 1, upper: 60, step: 0.5).values.last == 59.5)
    #expect(DepthBins.uniform(lower: 2, upper: 42, step: 0.5).count == 80)
    let increasing = DepthBins.spacingIncreasing(lower: 1, upper: 46, count: 15).values
    #expect(increasing.first == 1 && abs((increasing.last ?? 0) - 45) < 1e-4)
  }
}
