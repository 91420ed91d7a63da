import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct VoxelConfusionTests {
  private let pool = WorkerPool(threadCount: 1)

  @Test func `six voxels by hand`() throws {
    // Class 0: 1 of 3, class 1: 1 of 2, free: 1 of 2; occupied: 3 of 4. The last voxel is ignored.
    for engine in [Engine.reference, .best] {
      var confusion = VoxelConfusion(classes: try OccupancyClasses(count: 3, freeClass: 2))
      try confusion.add(
        prediction: [0, 0, 1, 2, 2, 0], truth: [0, 1, 1, 0, 2, 255], engine: engine, pool: pool)
      #expect(confusion.counts == [1, 0, 1, 1, 1, 0, 0, 0, 1])
      let third: Double = 1.0 / 3
      let scores: [Double?] = [third, 0.5, 0.5]
      #expect(confusion.intersectionOverUnion == scores)
      let mean: Double = (third + 0.5) / 2
      #expect(confusion.meanIntersectionOverUnion == mean)
      #expect(confusion.occupiedIntersectionOverUnion == 0.75)
    }
  }

  @Test func `a class that neither grid has is left out of the mean`() throws {
    var confusion = VoxelConfusion(classes: try OccupancyClasses(count: 4, freeClass: 3))
    try confusion.add(prediction: [0, 3], truth: [0, 3], engine: .best, pool: pool)
    #expect(confusion.intersectionOverUnion == [1, nil, nil, 1])
    #expect(confusion.meanIntersectionOverUnion == 1)
    let empty = VoxelConfusion(classes: .occ3d)
    #expect(empty.meanIntersectionOverUnion == nil)
    #expect(empty.occupiedIntersectionOverUnion == nil)
  }

  @Test(arguments: InstructionSet.supported)
  func `SIMD counts what a loop over pairs counts, at every tail, mask and thread count`(
    set: InstructionSet
  ) throws {
    var random = SeededGenerator(seed: 7)
    for count in [0, 1, 7, 15, 16, 17, 63, 64, 65, 127, 128, 4095, 4096, 4097, 20_001] {
      for classCount in [2, 5, 18, 255] {
        let free = Int.random(in: 0..<classCount, using: &random)
        let labels = (0..<count).map { _ in mostlyFree(classCount, free, &random) }
        var truth = (0..<count).map { _ in mostlyFree(classCount, free, &random) }
        for index in stride(from: 0, to: count, by: 11) { truth[index] = 255 }
        let mask: [UInt8]? =
          classCount == 5 ? nil : (0..<count).map { _ in UInt8.random(in: 0...2, using: &random) }
        var expected = [Int64](repeating: 0, count: classCount * classCount)
        for index in 0..<count where mask?[index] != 0 && Int(truth[index]) < classCount {
          expected[Int(truth[index]) * classCount + Int(labels[index])] += 1
        }
        for (engine, threads) in [(Engine.reference, 2), (.simd(set), 1), (.simd(set), 2), (.simd(set), 3)] {
          var confusion = VoxelConfusion(
            classes: try OccupancyClasses(count: classCount, freeClass: free))
          try confusion.add(
            prediction: labels, truth: truth, mask: mask, engine: engine,
            pool: WorkerPool(threadCount: threads))
          #expect(confusion.counts == expected, "\(count) voxels, \(classCount) classes, \(engine)")
        }
      }
    }
  }

  @Test func `samples add up`() throws {
    var both = VoxelConfusion(classes: .openOcc)
    var joined = VoxelConfusion(classes: .openOcc)
    try both.add(prediction: [0, 16, 3], truth: [0, 3, 3], engine: .best, pool: pool)
    try both.add(prediction: [5, 5], truth: [5, 16], engine: .best, pool: pool)
    try joined.add(
      prediction: [0, 16, 3, 5, 5], truth: [0, 3, 3, 5, 16], engine: .best, pool: pool)
    #expect(both.counts == joined.counts)
    #expect(both.sampleCount == 2)
  }

  @Test(arguments: [Engine.reference, .best])
  func `a prediction of no class is an error where it is evaluated, and only there`(
    engine: Engine
  ) throws {
    var confusion = VoxelConfusion(classes: .occ3d)
    let many = [UInt8](repeating: 17, count: 200)
    var wrong = many
    wrong[70] = 18
    wrong[199] = 255
    let error = #expect(throws: InputError.self) {
      try confusion.add(prediction: wrong, truth: many, engine: engine, pool: pool)
    }
    #expect(error?.found.hasPrefix("2 voxels") == true)
    #expect(confusion.counts.allSatisfy { $0 == 0 })
    var mask = [UInt8](repeating: 1, count: 200)
    mask[70] = 0
    mask[199] = 0
    try confusion.add(prediction: wrong, truth: many, mask: mask, engine: engine, pool: pool)
    #expect(confusion.evaluatedVoxelCount == 198)
    #expect(throws: InputError.self) {
      try confusion.add(prediction: [0], truth: many, engine: engine, pool: pool)
    }
  }

  private func mostlyFree(
    _ classCount: Int, _ free: Int, _ random: inout SeededGenerator
  ) -> UInt8 {
    UInt8(Int.random(in: 0..<4, using: &random) > 0 ? free : Int.random(in: 0..<classCount, using: &random))
  }
}
