import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

@Suite struct OccupancyScorerTests {
  private let pool = WorkerPool(threadCount: 1)

  @Test func `a set against itself scores one, without flow error`() throws {
    var labels = OccupancyLabels(sizes: SIMD3(20, 20, 8), labels: scene(seed: 1))
    labels.flow = SeededFloats.values(2 * labels.labels.count)
    let scorer = OccupancyScorer(options: options, engine: .best, pool: pool)
    try scorer.add(prediction: labels, truth: labels)
    #expect(scorer.confusion.meanIntersectionOverUnion == 1)
    #expect(scorer.rays.overall == 1)
    #expect(scorer.castRayCount == 14_040)
    #expect(scorer.rays.rayCount > 1000)
    #expect(scorer.rays.meanVelocityError == 0)
    #expect(scorer.rays.occupancyScore == 1)
  }

  @Test(arguments: InstructionSet.supported)
  func `every engine gives the same scores over two samples`(set: InstructionSet) throws {
    let results = try [Engine.reference, .simd(set)].map { engine in
      let scorer = OccupancyScorer(
        options: options, engine: engine, pool: WorkerPool(threadCount: 2))
      for seed in [5, 6] as [UInt64] {
        let truth = OccupancyLabels(sizes: SIMD3(20, 20, 8), labels: scene(seed: seed))
        let prediction = OccupancyLabels(sizes: SIMD3(20, 20, 8), labels: scene(seed: seed + 10))
        try scorer.add(prediction: prediction, truth: truth)
      }
      return scorer
    }
    #expect(results[0].confusion == results[1].confusion)
    #expect(results[0].rays == results[1].rays)
    let overall = try #require(results[0].rays.overall)
    #expect(overall > 0 && overall < 1)
  }

  @Test func `the camera mask decides where mIoU looks, and masks asked for must be there`() throws {
    var truth = OccupancyLabels(sizes: SIMD3(1, 1, 4), labels: [1, 1, 17, 17])
    let prediction = OccupancyLabels(sizes: SIMD3(1, 1, 4), labels: [1, 2, 17, 3])
    truth.cameraMask = [1, 0, 1, 0]
    var options = self.options
    options.metrics = [.miou]
    for (mask, expected) in [(ScoreOptions.Mask.auto, 1.0), (.camera, 1), (.none, 1.0 / 6)] {
      options.mask = mask
      let scorer = OccupancyScorer(options: options, engine: .best, pool: pool)
      try scorer.add(prediction: prediction, truth: truth)
      let mean = try #require(scorer.confusion.meanIntersectionOverUnion)
      // Without a mask: class 1 is 1 of 2, classes 2 and 3 are 0 of 1.
      #expect(abs(mean - expected) < 1e-15)
    }
    options.mask = .lidar
    let scorer = OccupancyScorer(options: options, engine: .best, pool: pool)
    #expect(throws: InputError.self) { try scorer.add(prediction: prediction, truth: truth) }
    #expect(throws: InputError.self) {
      try scorer.add(
        prediction: OccupancyLabels(sizes: SIMD3(4, 1, 1), labels: [1, 1, 1, 1]), truth: truth)
    }
  }

  @Test func `folders pair by file name, or by folder for labels.npz`() throws {
    let folder = try TemporaryFolder()
    for name in ["gt/scene/a/labels.npz", "gt/scene/b/labels.npz", "gt/scene/c/labels.npz"] {
      try folder.write(name, NumpyArchives.stored)
    }
    for name in ["pred/a.npz", "pred/deep/b.npz", "pred/d.npz", "pred/readme.txt"] {
      try folder.write(name, NumpyArchives.deflated)
    }
    let pairing = try SamplePairing(
      prediction: folder.path + "/pred", truth: folder.path + "/gt")
    #expect(pairing.pairs.map(\.sample) == ["a", "b"])
    #expect(pairing.pairs[1].prediction.hasSuffix("/pred/deep/b.npz"))
    #expect(pairing.missing == ["c"])
    #expect(pairing.unused == ["d"])
    let single = try SamplePairing(
      prediction: folder.path + "/pred/d.npz", truth: folder.path + "/gt/scene/a/labels.npz")
    #expect(single.pairs.map(\.sample) == ["a"])
    try folder.write("pred/deep/a.npy", "x")
    #expect(throws: ExchangeError.self) {
      try SamplePairing(prediction: folder.path + "/pred", truth: folder.path + "/gt")
    }
    #expect(throws: ExchangeError.self) {
      try SamplePairing(prediction: folder.path + "/nothing", truth: folder.path + "/gt")
    }
  }

  @Test func `the report is JSON that names every class, with null for what has no score`() throws {
    let folder = try TemporaryFolder()
    try folder.write("a/labels.npz", NumpyArchives.stored)
    let path = folder.path + "/a/labels.npz"
    let scorer = OccupancyScorer(options: options, engine: .best, pool: pool)
    try scorer.add(SamplePairing.Pair(sample: "a", prediction: path, truth: path))
    let report = ScoreReport(scorer, missing: ["b"], unused: [], engine: .best)
    let json = try JSONReader.parse(Array(report.json.text.utf8))
    #expect(json["miou"]?["mean"]?.doubleValue == 1)
    #expect(json["miou"]?["iou"]?["barrier"] == .null)
    #expect(json["miou"]?["evaluated_voxels"]?.intValue == 10)
    #expect(json["miou"]?["samples_with_camera_mask"]?.intValue == 1)
    #expect(json["missing_predictions"]?.arrayValue?.count == 1)
    #expect(json["mave"]?["samples_with_flow"]?.intValue == 1)
    #expect(json["rayiou"]?["at_4m"]?["iou"]?.objectValue?.count == 18)
    #expect(report.table.contains("mean without free"))
  }

  private var options: ScoreOptions {
    var options = ScoreOptions()
    options.lowerMeters = SIMD3(-4, -4, -1)
    options.originsMeters = [SIMD3(0.1, 0.05, 0.7)]
    return options
  }

  /// Mostly free, with ground and some boxes.
  private func scene(seed: UInt64) -> [UInt8] {
    var random = SeededGenerator(seed: seed)
    return (0..<20 * 20 * 8).map { index in
      if index % 8 == 0 { return 11 }
      return Int.random(in: 0..<20, using: &random) == 0 ? UInt8.random(in: 0..<17, using: &random) : 17
    }
  }
}

private enum SeededFloats {
  static func values(_ count: Int) -> [Float] {
    var random = SeededGenerator(seed: 77)
    return random.floats(count)
  }
}
