import CAllocationCounter
import CThreadShims
import Swiftlet
import SwiftletTestSupport
import Testing

private let everyEngine: [Engine] = [.reference] + InstructionSet.supported.map(Engine.simd)

/// What a run of frames leaves behind, to be compared bit by bit.
private struct Outcome: Equatable {
  var camera: [UInt32] = []
  var fused: [UInt32] = []
  var validity: [UInt8] = []
  var occupied = 0
  var known = 0
}

@Suite(.serialized) struct FramePipelineTests {
  private func makePipeline(
    _ engine: Engine, threads: Int = 1, change: (inout PipelineConfiguration) -> Void = { _ in }
  ) throws -> FramePipeline {
    var configuration = TestDrive.configuration
    change(&configuration)
    return try FramePipeline(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
  }

  private func outcome(_ pipeline: FramePipeline) -> Outcome {
    Outcome(
      camera: pipeline.cameraBEV?.features.array.map(\.bitPattern) ?? [],
      fused: pipeline.fusedBEV.features.array.map(\.bitPattern),
      validity: pipeline.fusedBEV.validity.array,
      occupied: pipeline.occupancy?.occupiedCount ?? 0,
      known: pipeline.occupancy?.knownCount ?? 0)
  }

  private func run(_ pipeline: FramePipeline, _ drive: TestDrive, frames: Int = 4) throws -> Outcome {
    for index in 0..<frames { try pipeline.process(drive.frame(index)) }
    return outcome(pipeline)
  }

  @Test(arguments: everyEngine)
  func `one, two and three threads give the same bits`(engine: Engine) throws {
    let drive = TestDrive()
    let one = try run(makePipeline(engine), drive)
    #expect(one.occupied > 0 && one.known > one.occupied)
    for threads in [2, 3] {
      #expect(try run(makePipeline(engine, threads: threads), drive) == one)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `the kernels agree with the references over a drive`(set: InstructionSet) throws {
    let drive = TestDrive()
    let (expected, got) = (try makePipeline(.reference), try makePipeline(.simd(set), threads: 2))
    let (a, b) = (try run(expected, drive), try run(got, drive))
    #expect(a.validity == b.validity)
    #expect(a.occupied == b.occupied && a.known == b.known)
    let scale = expected.fusedBEV.features.array.map(abs).max() ?? 0
    let worst = zip(expected.fusedBEV.features.array, got.fusedBEV.features.array)
      .map { abs($0 - $1) }.max() ?? 0
    // A few dozen terms a cell, four roundings each, over four frames of history.
    #expect(worst <= scale * 200 * 0x1p-24, "worst \(worst) of \(scale)")
  }

  @Test(arguments: [Engine.reference, .best])
  func `after a reset the results equal those of a new pipeline`(engine: Engine) throws {
    let drive = TestDrive()
    let used = try makePipeline(engine)
    _ = try run(used, drive, frames: 3)
    used.reset()
    #expect(try run(used, drive) == run(makePipeline(engine), drive))
  }

  @Test(arguments: [Engine.reference, .best])
  func `default weights give the mean of the valid maps, with each sensor lost`(
    engine: Engine
  ) throws {
    let drive = TestDrive()
    for (losesCameras, losesLidar) in [(false, false), (true, false), (false, true)] {
      let pipeline = try makePipeline(engine) { $0.occupancy.enabled = false }
      var frame = drive.frame(0)
      if losesCameras { for i in frame.cameras.indices { frame.cameras[i].isValid = false } }
      if losesLidar { frame.lidars[0].isValid = false }
      try pipeline.process(frame)
      let camera = try #require(pipeline.cameraBEV)
      let channels = camera.channels
      for cell in 0..<camera.columns * camera.rows {
        let hasCamera = !losesCameras && camera.validity[cell] != 0
        let hasLidar = !losesLidar && pipeline.lidarBEV.validity[cell] != 0
        let count = Float((hasCamera ? 1 : 0) + (hasLidar ? 1 : 0))
        #expect((pipeline.fusedBEV.validity[cell] != 0) == (count > 0))
        for channel in 0..<channels {
          let index = cell * channels + channel
          let sum = (hasCamera ? camera.features[index] : 0)
            + (hasLidar ? pipeline.lidarBEV.features[index] : 0)
          let expected = count > 0 ? sum / count : 0
          let got = pipeline.fusedBEV.features[index]
          guard abs(got - expected) <= 8 * 0x1p-24 * max(abs(expected), 1) else {
            Issue.record("cell \(cell) channel \(channel): \(got), expected \(expected)")
            return
          }
        }
      }
    }
  }

  @Test func `history moves with the world when the ego drives on`() throws {
    // Only frame 0 has a camera; the fused map of frame 1 is then the warped history alone.
    let pipeline = try makePipeline(.best) { $0.occupancy.enabled = false }
    let drive = TestDrive()
    var frames = [drive.frame(0), drive.frame(0)]
    frames[0].lidars[0].isValid = false
    // Exactly two cells (1.6 m) forward along x.
    frames[1].worldFromEgo = frames[0].worldFromEgo
      * RigidTransform(rotation: Quaternion.identity, translation: SIMD3(1.6, 0, 0))
    frames[1].lidars[0].isValid = false
    for i in frames[1].cameras.indices { frames[1].cameras[i].isValid = false }
    try pipeline.process(frames[0])
    let before = pipeline.fusedBEV.features.array
    let valid = pipeline.fusedBEV.validity.array
    try pipeline.process(frames[1])
    let (columns, channels) = (pipeline.grid.sizeX, pipeline.configuration.channelCount)
    var compared = 0
    for y in 0..<pipeline.grid.sizeY {
      for x in 0..<columns - 2 where valid[y * columns + x + 2] != 0 {
        compared += 1
        for channel in 0..<channels {
          let expected = before[(y * columns + x + 2) * channels + channel]
          let got = pipeline.fusedBEV.features[(y * columns + x) * channels + channel]
          guard abs(got - expected) <= 1e-5 * max(abs(expected), 1) else {
            Issue.record("cell (\(x), \(y)) channel \(channel): \(got), expected \(expected)")
            return
          }
        }
      }
    }
    #expect(compared > 50)
  }

  @Test func `a pose jump or a seam drops the history`() throws {
    let drive = TestDrive()
    let pipeline = try makePipeline(.best) { $0.occupancy.enabled = false }
    try pipeline.process(drive.frame(0))
    try pipeline.process(drive.frame(1, resetsHistory: true))
    let fresh = try makePipeline(.best) { $0.occupancy.enabled = false }
    try fresh.process(drive.frame(1))
    #expect(outcome(pipeline) == outcome(fresh))
  }

  @Test func `an unusable camera is masked and named, the others stay`() throws {
    let drive = TestDrive()
    let pipeline = try makePipeline(.best)
    var frame = drive.frame(0)
    frame.cameras[1].intrinsics.focalX = 0
    frame.cameras[2].depth = nil
    try pipeline.process(frame)
    #expect(pipeline.findings.map(\.kind) == [.cameraCalibrationInvalid, .cameraInputInvalid])
    #expect(pipeline.findings.map(\.sensorIndex) == [1, 2])
    #expect(pipeline.validCameras == [true, false, false])
  }

  @Test func `a pose of NaN or far off is an error, and the next frame is fine`() throws {
    let drive = TestDrive()
    let pipeline = try makePipeline(.best)
    for value in [Double.nan, .infinity, 1e12] {
      var frame = drive.frame(0)
      frame.worldFromEgo.translation.y = value
      #expect(throws: InputError.self) { try pipeline.process(frame) }
    }
    var frame = drive.frame(0)
    frame.lidars[0].worldFromLidar.translation.x = .nan
    try pipeline.process(frame)
    #expect(pipeline.findings.map(\.kind) == [.lidarPoseInvalid])
    try pipeline.process(drive.frame(1))
    #expect(pipeline.findings.isEmpty)
  }

  @Test func `NaN points are counted and change nothing else`() throws {
    let drive = TestDrive()
    drive.points[40] = .nan
    let pipeline = try makePipeline(.best)
    try pipeline.process(drive.frame(0))
    #expect(pipeline.findings == [FrameFinding(kind: .pointsNotFinite, count: 1)])
    let finite = pipeline.fusedBEV.features.array.allSatisfy { $0.isFinite }
    #expect(finite)
  }

  /// The kernels only: references are written to be believed and may make arrays.
  @Test(.enabled(if: countsAllocations), arguments: [1, 2], [Engine.best])
  func `nothing allocates and no page faults after the first frames`(
    threads: Int, engine: Engine
  ) throws {
    let drive = TestDrive()
    let pipeline = try makePipeline(engine, threads: threads)
    let frames = (0..<100).map { drive.frame($0) }
    for frame in frames.prefix(3) { try pipeline.process(frame) }
    let faults = swl_process_page_faults()
    allocation_counter_start()
    for frame in frames { try pipeline.process(frame) }
    let allocations = allocation_counter_stop()
    let newFaults = swl_process_page_faults() - faults
    #expect(allocations == 0)
    #expect(newFaults == 0)
  }

  @Test func `the counter sees a planted allocation`() {
    allocation_counter_start()
    let planted = [Int](repeating: 1, count: Int.random(in: 1000...1001))
    #expect(allocation_counter_stop() > 0)
    #expect(planted.count >= 1000)
  }
}
