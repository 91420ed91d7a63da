import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct RayTraversalTests {
  @Test(arguments: everyOccupancyEngine)
  func `a ray along x lists the voxels before its end`(engine: Engine) {
    let voxels = RayTraversal.voxels(
      from: SIMD3(0.05, 0.05, 0.05), to: SIMD3(0.75, 0.05, 0.05), voxelSizeMeters: 0.1,
      engine: engine)
    #expect(voxels == (0..<7).map { VoxelKey(x: $0, y: 0, z: 0) })
  }

  @Test(arguments: everyOccupancyEngine)
  func `a diagonal through corners goes to z before y before x`(engine: Engine) {
    // From the centre of (0,0,0) to the centre of (1,1,1): all three borders at the same parameter.
    let voxels = RayTraversal.voxels(
      from: SIMD3(0.5, 0.5, 0.5), to: SIMD3(1.5, 1.5, 1.5), voxelSizeMeters: 1, engine: engine)
    #expect(
      voxels == [
        VoxelKey(x: 0, y: 0, z: 0), VoxelKey(x: 0, y: 0, z: 1), VoxelKey(x: 0, y: 1, z: 1),
      ])
  }

  @Test(arguments: everyOccupancyEngine)
  func `ends outside the key cube give no ray, one voxel gives an empty one`(engine: Engine) {
    func count(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Int? {
      RayTraversal.voxels(from: a, to: b, voxelSizeMeters: 1, engine: engine)?.count
    }
    #expect(count(.zero, SIMD3(32768, 0, 0)) == nil)
    #expect(count(SIMD3(-32769, 0, 0), .zero) == nil)
    #expect(count(.zero, SIMD3(.nan, 0, 0)) == nil)
    #expect(count(.zero, SIMD3(.infinity, 0, 0)) == nil)
    #expect(count(.zero, SIMD3(32767.5, 0, 0)) == 32767)
    #expect(count(SIMD3(0.1, 0.2, 0.3), SIMD3(0.9, 0.8, 0.7)) == 0)
  }

  @Test(arguments: everyOccupancyEngine)
  func `a direction that underflows ends after the first voxel`(engine: Engine) {
    let voxels = RayTraversal.voxels(
      from: SIMD3(-1e-30, 1e-30, -1e-30), to: SIMD3(1e-30, -1e-30, 1e-30), voxelSizeMeters: 1,
      engine: engine)
    #expect(voxels == [VoxelKey(x: -1, y: 0, z: -1)])
  }

  @Test(arguments: InstructionSet.supported)
  func `SIMD lists the reference's voxels on random and lattice rays`(set: InstructionSet) {
    let seed: UInt64 = 20_261_121
    for voxel in [0.1, 0.2, 0.4, 0.37] {
      let origins = makeScan(count: 150, seed: seed, origin: .zero, voxel: Float(voxel))
      let ends = makeScan(count: 150, seed: seed + 1, origin: SIMD3(1, 2, 0), reach: 30)
      for (origin, end) in zip(origins, ends) {
        let expected = RayTraversal.voxels(
          from: origin, to: end, voxelSizeMeters: voxel, engine: .reference)
        let got = RayTraversal.voxels(
          from: origin, to: end, voxelSizeMeters: voxel, engine: .simd(set))
        #expect(got == expected, "seed \(seed) voxel \(voxel) from \(origin) to \(end)")
      }
    }
  }
}
