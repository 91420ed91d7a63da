import Swiftlet
import SwiftletTestSupport
import Testing

private let millisecond: Int64 = 1_000_000

/// Ages, validity and maps that are handed in.
@Suite(.serialized) struct FusionStageTests: FusionStageSuite {
  // MARK: ages

  @Test(arguments: [Engine.reference, .best])
  func `a camera cell is as old as the oldest camera that contributes`(engine: Engine) throws {
    let drive = TestDrive()
    let pipeline = try pipeline(engine)
    var frame = drive.frame(0)
    frame.lidars[0].isValid = false
    for (index, age) in [30, -70, 12].enumerated() {
      frame.cameras[index].ageNanoseconds = Int64(age) * millisecond + 999_999 * (age < 0 ? -1 : 1)
    }
    try pipeline.process(frame)
    let cells = try #require(pipeline.modalityCells[0])
    let camera = try #require(pipeline.cameraBEV)
    var seen: Set<UInt16> = []
    for cell in 0..<camera.columns * camera.rows {
      if camera.validity[cell] == 0 {
        #expect(cells.ages[cell] == .max && cells.validity[cell] == 0)
      } else {
        seen.insert(cells.ages[cell])
        #expect(cells.validity[cell] == 1)
      }
    }
    // Alone, or the older of two where they overlap.
    #expect(seen.isSubset(of: [30, 70, 12]) && seen.contains(70) && seen.contains(12))
    #expect(pipeline.fusedAges.array == cells.ages.array)
  }

  @Test func `cells of a camera older than the limit are masked, those of fresh ones are not`() throws {
    let drive = TestDrive()
    let pipeline = try pipeline { $0.fusion.maximumCellAgeMilliseconds = 50 }
    var frame = drive.frame(0)
    frame.lidars[0].isValid = false
    frame.cameras[1].ageNanoseconds = 51 * millisecond
    try pipeline.process(frame)
    let stale = pipeline.fusedBEV.validity.array
    frame.cameras[1].isValid = false
    let alone = try self.pipeline()
    try alone.process(frame)
    // Where camera 1 overlaps a fresh one the pooled sum holds both: the cell goes with the older.
    for cell in stale.indices where stale[cell] != 0 { #expect(alone.fusedBEV.validity[cell] != 0) }
    #expect(stale.contains(1))
    let all = try self.pipeline()
    frame.cameras[1].isValid = true
    try all.process(frame)
    #expect(all.fusedBEV.validity.array.count { $0 != 0 } > stale.count { $0 != 0 })
  }

  @Test(arguments: [Engine.reference, .best])
  func `history grows older frame by frame and is dropped at the limit`(engine: Engine) throws {
    let drive = TestDrive()
    let pipeline = try pipeline(engine) { $0.fusion.maximumCellAgeMilliseconds = 250 }
    var frame = drive.frame(0)
    frame.lidars[0].isValid = false
    try pipeline.process(frame)
    let valid = pipeline.fusedBEV.validity.array
    #expect(valid.contains(1))
    for step in 1...3 {
      var later = withoutSensors(frame)
      later.timestampNanoseconds += Int64(step) * 100 * millisecond
      try pipeline.process(later)
      if step < 3 {
        #expect(pipeline.fusedBEV.validity.array == valid)
        for cell in valid.indices where valid[cell] != 0 {
          #expect(pipeline.fusedAges[cell] == UInt16(100 * step))
        }
      } else {
        #expect(pipeline.fusedBEV.validity.array.allSatisfy { $0 == 0 })
        #expect(pipeline.fusedBEV.features.array.allSatisfy { $0 == 0 })
        #expect(pipeline.fusedAges.array.allSatisfy { $0 == .max })
      }
    }
  }

  @Test func `voxel memory stands in for a missing scan until it is too old`() throws {
    let drive = TestDrive()
    let pipeline = try pipeline {
      $0.occupancy.enabled = true
      $0.fusion.history = false
      $0.fusion.maximumCellAgeMilliseconds = 150
    }
    try pipeline.process(drive.frame(0))
    var frame = withoutSensors(drive.frame(0))
    frame.timestampNanoseconds += 120 * millisecond
    try pipeline.process(frame)
    let lidar = try #require(pipeline.modalityCells[1])
    #expect(lidar.validity.array.contains(1))
    #expect(zip(lidar.validity.array, lidar.ages.array).allSatisfy { $0 == 0 || $1 == 120 })
    frame.timestampNanoseconds += 100 * millisecond
    try pipeline.process(frame)
    #expect(pipeline.fusedBEV.validity.array.allSatisfy { $0 == 0 })
  }

  // MARK: radar and map prior

  @Test(arguments: [Engine.reference, .best])
  func `radar and map prior join the mean, and only where they are valid`(engine: Engine) throws {
    let drive = TestDrive()
    let pipeline = try pipeline(engine)
    let radar = MadeMap(pipeline.configuration, value: 4) { $0 % 2 == 0 }
    let prior = MadeMap(pipeline.configuration, value: 1) { $0 % 3 == 0 }
    var frame = withoutSensors(drive.frame(0))
    frame.bevMaps = [
      radar.input(.radar, frame.worldFromEgo, age: 20 * millisecond),
      prior.input(.mapPrior, frame.worldFromEgo, age: 3_600_000 * millisecond),
    ]
    try pipeline.process(frame)
    let channels = pipeline.configuration.channelCount
    for cell in 0..<radar.validity.count {
      let expected: Float = [0, 4, 1, 2.5][(cell % 2 == 0 ? 1 : 0) + (cell % 3 == 0 ? 2 : 0)]
      #expect(pipeline.fusedBEV.features[cell * channels] == expected, "cell \(cell)")
      let age: UInt16 = cell % 3 == 0 ? 0 : cell % 2 == 0 ? 20 : .max
      #expect(pipeline.fusedAges[cell] == age)
    }
    #expect(pipeline.findings.isEmpty)
  }

  @Test func `a map of an earlier time moves with the ego between its time and the frame`() throws {
    let pipeline = try pipeline()
    let (columns, rows) = (pipeline.grid.sizeX, pipeline.grid.sizeY)
    let radar = MadeMap(pipeline.configuration, value: 0)
    let channels = radar.channels
    for cell in 0..<columns * rows {
      for channel in 0..<channels { radar.features[cell * channels + channel] = Float(cell) }
    }
    var frame = withoutSensors(TestDrive().frame(0))
    // Two cells (1.6 m) behind where the frame is.
    let before = frame.worldFromEgo
      * RigidTransform(rotation: Quaternion.identity, translation: SIMD3(-1.6, 0, 0))
    frame.bevMaps = [radar.input(.radar, before)]
    try pipeline.process(frame)
    for row in 0..<rows {
      for column in 0..<columns - 2 {
        let got = pipeline.fusedBEV.features[(row * columns + column) * channels]
        #expect(abs(got - Float(row * columns + column + 2)) < 0.01)
      }
      #expect(pipeline.fusedBEV.validity[row * columns + columns - 1] == 0)
    }
  }

  @Test func `a misshapen map, one without an embedding and one of NaN are masked and named`() throws {
    let drive = TestDrive()
    var small = TestDrive.configuration
    small.grid.upperMeters.x -= 0.8
    let wrong = MadeMap(small, value: 1)
    let pipeline = try pipeline()
    let broken = MadeMap(pipeline.configuration, value: 1)
    broken.features[5] = .nan
    var frame = drive.frame(0)
    frame.bevMaps = [
      wrong.input(.radar, frame.worldFromEgo), broken.input(.mapPrior, frame.worldFromEgo),
    ]
    try pipeline.process(frame)
    #expect(pipeline.findings.map(\.kind) == [.bevMapInvalid, .bevMapNotFinite])
    #expect(pipeline.radarBEV == nil && pipeline.mapPriorBEV == nil)
    #expect(pipeline.fusedBEV.features.array.allSatisfy { $0.isFinite })
    let three = try self.pipeline(
      weights: PipelineWeights(
        fusion: .default(channels: TestDrive.configuration.channelCount, modalities: 3)))
    let good = MadeMap(pipeline.configuration, value: 1)
    frame.bevMaps = [good.input(.radar, frame.worldFromEgo)]
    try three.process(frame)
    #expect(three.findings.map(\.kind) == [.bevMapInvalid])
  }

  // MARK: bad features

  @Test(arguments: [Engine.reference, .best])
  func `a camera with NaN is named and masked, or kept on request`(engine: Engine) throws {
    let drive = TestDrive()
    let masked = try pipeline(engine)
    var frame = drive.frame(0)
    frame.cameras[2].isValid = false
    try masked.process(frame)
    let expected = masked.fusedBEV.features.array
    drive.features[2][40] = .nan
    drive.depths[2][3] = -.infinity
    masked.reset()
    frame.cameras[2].isValid = true
    try masked.process(frame)
    #expect(masked.findings == [
      FrameFinding(kind: .cameraFeaturesNotFinite, sensorIndex: 2, count: 2)
    ])
    #expect(masked.fusedBEV.features.array == expected)
    let kept = try pipeline(engine) { $0.notFiniteFeatures = .keep }
    try kept.process(frame)
    #expect(kept.findings.map(\.count) == [2])
    #expect(!kept.fusedBEV.features.array.allSatisfy { $0.isFinite })
  }
}
