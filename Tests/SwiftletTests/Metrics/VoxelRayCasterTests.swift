import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct VoxelRayCasterTests {
  @Test func `a ray along x leaves the first occupied voxel where its far face is`() throws {
    var labels = [UInt8](repeating: 2, count: 12)
    labels[6] = 1
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let caster = try VoxelRayCaster(
        labels: labels, sizes: SIMD3(12, 1, 1), freeClass: 2, engine: engine,
        pool: WorkerPool(threadCount: 1))
      let rays = try caster.cast(
        origins: [0.5, 0.5, 0.5, 11.5, 0.5, 0.5, 7.5, 0.5, 0.5, 6.5, 0.5, 0.5, -3, 0.5, 0.5, -3, 5, 0.5],
        ends: [3, 0.5, 0.5, 0, 0.5, 0.5, 9, 0.5, 0.5, 7, 0.5, 0.5, 1, 0.5, 0.5, 1, 5, 0.5],
        voxelSizeMeters: 0.5)
      // From the front, from behind, past it, from inside it, from outside the grid, beside it.
      #expect(rays.labels == [1, 1, 2, 1, 1, 2])
      #expect(rays.voxels == [6, 6, -1, 6, 6, -1])
      #expect(rays.distancesMeters == [3.25, 2.75, 2.25, 0.25, 5, -0.5])
    }
  }

  @Test func `a tie between all axes goes to z, then y, then x`() throws {
    // Through the corner of (0,0,0): the walk passes (0,0,1), then (0,1,1).
    for (voxel, expected) in [(1, Int64(1)), (3, 3), (2, -1), (4, -1), (5, -1), (6, -1)] {
      var labels = [UInt8](repeating: 1, count: 8)
      labels[voxel] = 0
      for engine in [Engine.reference, .best] {
        let caster = try VoxelRayCaster(
          labels: labels, sizes: SIMD3(2, 2, 2), freeClass: 1, engine: engine,
          pool: WorkerPool(threadCount: 1))
        let rays = try caster.cast(
          origins: [0.5, 0.5, 0.5], ends: [1.5, 1.5, 1.5], voxelSizeMeters: 1)
        #expect(rays.voxels == [expected])
      }
    }
  }

  /// An independent oracle: the exit of every occupied voxel by the slab method, the nearest wins.
  @Test func `the walk finds the voxel that a slab test against every voxel finds`() throws {
    var random = SeededGenerator(seed: 11)
    let sizes = SIMD3(9, 13, 6)
    let labels = randomLabels(sizes, free: 3, share: 25, &random)
    let caster = try VoxelRayCaster(
      labels: labels, sizes: sizes, freeClass: 3, engine: .best, pool: WorkerPool(threadCount: 2))
    let (origins, ends) = randomRays(200, around: sizes, &random)
    let rays = try caster.cast(origins: origins, ends: ends, voxelSizeMeters: 1)
    for ray in 0..<200 {
      let origin = SIMD3<Double>(vector(origins, ray))
      let direction = SIMD3<Double>(vector(ends, ray)) - origin
      let unit = direction / (direction * direction).sum().squareRoot()
      var nearest = (enter: Double.infinity, leave: Double.infinity, voxel: Int64(-1))
      for (index, label) in labels.enumerated() where label != 3 {
        let corner = SIMD3<Double>(
          Double(index / (13 * 6)), Double(index / 6 % 13), Double(index % 6))
        guard let span = slab(origin, unit, corner), span.lowerBound < nearest.enter else { continue }
        nearest = (span.lowerBound, span.upperBound, Int64(index))
      }
      #expect(rays.voxels[ray] == nearest.voxel, "ray \(ray)")
      if nearest.voxel >= 0 {
        // Sums of a few dozen float64 steps, rounded once to float32.
        let error = abs(Double(rays.distancesMeters[ray]) - nearest.leave)
        let tolerance: Double = 1e-6 * nearest.leave + 1e-9
        #expect(error < tolerance)
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `SIMD gives the bits of the reference at every ray count, grid shape and thread count`(
    set: InstructionSet
  ) throws {
    var random = SeededGenerator(seed: 3)
    for (sizes, count) in [
      (SIMD3(1, 1, 1), 5), (SIMD3(3, 40, 2), 17), (SIMD3(20, 21, 16), 64), (SIMD3(7, 5, 33), 129),
      (SIMD3(30, 30, 17), 1), (SIMD3(30, 30, 17), 0), (SIMD3(64, 50, 16), 1000),
    ] {
      let labels = randomLabels(sizes, free: 17, share: 4, &random)
      let (origins, ends) = randomRays(count, around: sizes, &random)
      let expected = try cast(labels, sizes, origins, ends, .reference, threads: 1)
      for threads in 1...3 {
        let got = try cast(labels, sizes, origins, ends, .simd(set), threads: threads)
        #expect(got == expected, "\(sizes), \(count) rays, \(threads) threads")
      }
    }
  }

  @Test func `wrong sizes and rays without direction are errors`() throws {
    let pool = WorkerPool(threadCount: 1)
    for sizes in [SIMD3(2, 2, 2), SIMD3(0, 1, 1), SIMD3(-1, -7, 1), SIMD3(1 << 40, 1 << 40, 1)] {
      #expect(throws: InputError.self) {
        try VoxelRayCaster(labels: [0], sizes: sizes, freeClass: 1, engine: .best, pool: pool)
      }
    }
    let caster = try VoxelRayCaster(
      labels: [0], sizes: SIMD3(1, 1, 1), freeClass: 1, engine: .best, pool: pool)
    for (origins, ends) in [
      ([0, 0, 0], [0, 0, 0]), ([.nan, 0, 0], [1, 0, 0]), ([0, 0, 0], [.infinity, 0, 0]),
      ([1e30, 0, 0], [0, 0, 0]), ([0, 0], [1, 1]), ([0, 0, 0], [1, 1]),
    ] as [([Float], [Float])] {
      #expect(throws: InputError.self) {
        try caster.cast(origins: origins, ends: ends, voxelSizeMeters: 1)
      }
    }
  }

  private func cast(
    _ labels: [UInt8], _ sizes: SIMD3<Int>, _ origins: [Float], _ ends: [Float], _ engine: Engine,
    threads: Int
  ) throws -> CastRays {
    try VoxelRayCaster(
      labels: labels, sizes: sizes, freeClass: 17, engine: engine,
      pool: WorkerPool(threadCount: threads)
    ).cast(origins: origins, ends: ends, voxelSizeMeters: 0.4)
  }

  /// One voxel in `share` is not free.
  private func randomLabels(
    _ sizes: SIMD3<Int>, free: UInt8, share: Int, _ random: inout SeededGenerator
  ) -> [UInt8] {
    (0..<sizes.x * sizes.y * sizes.z).map { _ in
      Int.random(in: 0..<share * 4, using: &random) == 0 ? UInt8.random(in: 0..<free, using: &random) : free
    }
  }

  /// Origins inside, outside and on voxel faces; some rays along an axis or a diagonal.
  private func randomRays(
    _ count: Int, around sizes: SIMD3<Int>, _ random: inout SeededGenerator
  ) -> ([Float], [Float]) {
    var origins: [Float] = []
    var ends: [Float] = []
    for ray in 0..<count {
      for axis in 0..<3 {
        let size = Float(sizes[axis])
        var start = Float.random(in: -0.3 * size...1.3 * size, using: &random)
        if ray % 5 != 0 { start = min(max(start, 0), size - 0.01) }
        if ray % 7 == 0 { start.round() }
        var step = Float.random(in: -1...1, using: &random)
        if ray % 11 == 0 { step = axis == ray % 3 ? 1 : 0 }
        if ray % 13 == 0 { step = -1 }
        origins.append(start)
        ends.append(start + step)
      }
    }
    return (origins, ends)
  }

  private func vector(_ values: [Float], _ ray: Int) -> SIMD3<Float> {
    SIMD3(values[ray * 3], values[ray * 3 + 1], values[ray * 3 + 2])
  }

  /// The part of a ray inside a unit cube, of positive length; nil without.
  private func slab(
    _ origin: SIMD3<Double>, _ unit: SIMD3<Double>, _ corner: SIMD3<Double>
  ) -> ClosedRange<Double>? {
    var (near, far) = (0.0, Double.infinity)
    for axis in 0..<3 {
      if unit[axis] == 0 {
        guard origin[axis] >= corner[axis], origin[axis] < corner[axis] + 1 else { return nil }
        continue
      }
      let a = (corner[axis] - origin[axis]) / unit[axis]
      let b = (corner[axis] + 1 - origin[axis]) / unit[axis]
      near = max(near, min(a, b))
      far = min(far, max(a, b))
    }
    // The origin's own voxel counts even where the ray leaves it at once.
    let isOwn = (0..<3).allSatisfy { origin[$0].rounded(.towardZero) == corner[$0] }
    return far - near > 1e-9 || (isOwn && far >= near) ? near...far : nil
  }
}
