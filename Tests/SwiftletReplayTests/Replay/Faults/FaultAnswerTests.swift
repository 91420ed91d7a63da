import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// What becomes of the maps, cell by cell, in the frame of a fault and in the next one.
@Suite struct FaultAnswerTests {
  private struct Maps {
    var camera: [UInt32]
    var cameraValidity: [UInt8]
    var lidarValidity: [UInt8]
    var fused: [Float]
    var fusedValidity: [UInt8]
    var warnings: [ReplayWarning]
    /// By cell, the bits of its features.
    func cameraCell(_ cell: Int) -> ArraySlice<UInt32> {
      let channels = camera.count / cameraValidity.count
      return camera[cell * channels..<(cell + 1) * channels]
    }
  }

  /// Three frames of a drive with cameras that look away from each other, textured images.
  private func drive() throws -> (folder: TemporaryFolder, recording: any Recording) {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 3)
    for frame in 0..<3 {
      let points = (0..<600).flatMap { number -> [Float] in
        let angle = Float(number) / 600 * 2 * .pi
        let distance = 5 + Float(number * number % 97) / 8
        return [distance * cos(angle), distance * sin(angle), Float(number % 7) / 4 - 1, 9, 0]
      }
      builder.replace(builder.file("LIDAR_TOP", frame)) { _ in floatBytes(points) }
    }
    for (number, camera) in builder.cameras.enumerated() {
      for frame in 0..<3 {
        var image = RGBImage(widthPixels: 64, heightPixels: 48)
        for index in image.pixels.indices {
          image.pixels[index] = UInt8(truncatingIfNeeded: index * index / 11 + 40 * number + frame)
        }
        let bytes = try PNGCodec.encode(image)
        builder.replace(builder.file(camera, frame)) { _ in bytes }
      }
    }
    return (folder, try builder.open(folder))
  }

  private func run(_ recording: any Recording, _ plan: String?) throws -> [Maps] {
    var configuration = SmallPipeline.configuration
    configuration.occupancy.enabled = false
    configuration.fusion.history = false
    let processor = try PipelineLoader(
      configuration: configuration, engine: .best, threadCount: 1
    ).makeProcessor()
    let recorded = RecordingSource(recording)
    let source: any FrameSource =
      try plan.map { FaultySource(recorded, plan: try FaultPlan($0)) } ?? recorded
    return try (0..<3).map { index in
      let owner = try source.frame(at: index)
      var frame = owner.sensorFrame
      for stage in processor.stages.indices { try processor.run(stage: stage, on: &frame) }
      withExtendedLifetime(owner) {}
      let pipeline = processor.pipeline
      let camera = try #require(pipeline.cameraBEV)
      return Maps(
        camera: camera.features.array.map(\.bitPattern), cameraValidity: camera.validity.array,
        lidarValidity: pipeline.lidarBEV.validity.array, fused: pipeline.fusedBEV.features.array,
        fusedValidity: pipeline.fusedBEV.validity.array,
        warnings: owner.warnings + processor.takeWarnings())
    }
  }

  @Test func `a silent camera's cells are empty, the other's are what they were`() throws {
    let (folder, recording) = try drive()
    let clean = try run(recording, nil)
    let front = try run(recording, "drop:CAM_FRONT@1#1-1")
    let back = try run(recording, "drop:CAM_BACK@1#1-1")
    let cells = clean[1].cameraValidity.indices
    let seen = cells.filter { clean[1].cameraValidity[$0] != 0 }
    let left = [front, back].map { run in cells.filter { run[1].cameraValidity[$0] != 0 } }
    #expect(left.allSatisfy { $0.count > 20 } && Set(left[0]).isDisjoint(with: left[1]))
    #expect(Set(left[0] + left[1]) == Set(seen))
    var isTextured = false
    for (run, cells) in zip([front, back], left) {
      for cell in cells where run[1].cameraCell(cell) != clean[1].cameraCell(cell) {
        Issue.record("cell \(cell) of the other camera changed")
        return
      }
      isTextured = isTextured || cells.contains { run[1].cameraCell($0).contains { $0 != 0 } }
      // Nothing of it in the frames before and behind.
      for frame in [0, 2] {
        #expect(run[frame].camera == clean[frame].camera)
        #expect(run[frame].cameraValidity == clean[frame].cameraValidity)
        #expect(run[frame].fused == clean[frame].fused)
      }
    }
    #expect(isTextured)
    withExtendedLifetime(folder) {}
  }

  @Test func `without a scan there is no LiDAR cell, without any sensor no cell at all`() throws {
    let (folder, recording) = try drive()
    let clean = try run(recording, nil)
    let noScan = try run(recording, "drop:LIDAR_TOP@1#1-1")
    #expect(clean[1].lidarValidity.contains { $0 != 0 })
    #expect(!noScan[1].lidarValidity.contains { $0 != 0 })
    #expect(noScan[1].cameraValidity == clean[1].cameraValidity)
    let nothing = try run(recording, "drop:*@1#1-1")
    #expect(!nothing[1].fusedValidity.contains { $0 != 0 })
    #expect(nothing[1].fused.allSatisfy { $0 == 0 })
    #expect(clean[1].fusedValidity.contains { $0 != 0 })
    for run in [noScan, nothing] {
      #expect(run[2].lidarValidity == clean[2].lidarValidity && run[2].fused == clean[2].fused)
    }
    withExtendedLifetime(folder) {}
  }

  @Test func `points of random bits give numbers, and those that are none are counted`() throws {
    let (folder, recording) = try drive()
    // One point in twenty: some seeds, until NaN and infinities were met.
    var counted = 0
    for seed in 0..<60 as Range<UInt64> {
      let source = FaultySource(
        RecordingSource(recording), plan: try FaultPlan("corrupt:LIDAR_TOP@1#1-1", seed: seed))
      let owner = try source.frame(at: 1)
      var frame = owner.sensorFrame
      let points = MCAPRecordingTests.points(frame.lidars[0].points)
      guard points.contains(where: { !$0.isFinite }) else { continue }
      counted += 1
      let processor = try SmallPipeline.make()
      for stage in processor.stages.indices { try processor.run(stage: stage, on: &frame) }
      withExtendedLifetime(owner) {}
      #expect(processor.pipeline.fusedBEV.features.array.allSatisfy { $0.isFinite }, "seed \(seed)")
      #expect(processor.pipeline.lidarBEV.features.array.allSatisfy { $0.isFinite }, "seed \(seed)")
      #expect(processor.takeWarnings().contains { $0.code == ReplayWarning.pointsNotFinite })
      if counted == 3 { break }
    }
    #expect(counted > 0)
    withExtendedLifetime(folder) {}
  }
}
