import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// The pipeline's answer to every fault: outputs are finite, the right sensors are masked, and
/// nothing of it lasts.
@Suite struct FaultTrialTests {
  private static let frames = 16
  private static let fault = 4...4

  private func drive() throws -> (folder: TemporaryFolder, recording: any Recording) {
    let folder = try TemporaryFolder()
    let drive = try SyntheticDrive(
      options: SyntheticDriveOptions(
        seed: 5, imageWidthPixels: 176, imageHeightPixels: 64, lidarAzimuthCount: 256))
    try SyntheticDriveWriter(
      drive: drive, frameCount: Self.frames, folder: URL(fileURLWithPath: folder.path)
    ).write(overwrites: true)
    return (folder, try RecordingOpener.open(path: folder.path))
  }

  /// Faults that write points to a wrong place, or move the window away: what no later scan looks at
  /// (a seventh of this map) stays as they left it. What one does look at must recover all the same,
  /// only later: the scan has to be outvoted.
  private static let misplacing = ["corrupt:LIDAR", "freeze:LIDAR", "rotate:LIDAR", "pose:"]

  /// What must be masked in the frame of a fault, "*" everything; the others must be nothing.
  private static let masked = [
    "drop:CAM": "CAM_FRONT", "late:CAM": "CAM_FRONT", "duplicate:CAM": "CAM_FRONT",
    "clockjump:CAM": "CAM_FRONT", "drop:LIDAR": "LIDAR_TOP", "late:LIDAR_TOP@150": "LIDAR_TOP",
    "clockjump:LIDAR": "LIDAR_TOP", "drop:*": "*",
  ]
  /// Faults that move no feature by the tolerance: the drive's images are flat, and so is the
  /// encoder's answer to noise in the half of them that shows the road.
  private static let unseen = ["freeze:CAM", "corrupt:CAM"]

  @Test func `every fault is finite, masked right and over within four frames, or ten`() throws {
    let (folder, recording) = try drive()
    var trial = try FaultTrial(
      source: RecordingSource(recording), frames: 0..<Self.frames,
      makeProcessor: { try SmallPipeline.make() })
    let faults = FaultTrial.standardFaults(
      camera: "CAM_FRONT", lidar: "LIDAR_TOP", frames: Self.fault)
    #expect(faults.count == 23)
    for text in faults {
      let outcome = try trial.outcome(of: FaultPlan(text))
      #expect(outcome.isFinite && outcome.isValidityRight, "\(outcome)")
      let mask = Self.masked.first { text.hasPrefix($0.key) }?.value
      let names = mask == "*" ? recording.sensors.map(\.name).sorted() : [mask].compactMap(\.self)
      #expect(outcome.masked == names, "\(outcome)")
      // A fault that shows nowhere was not injected, or shrugged off by looking at old data.
      let isSeen = !Self.unseen.contains { text.hasPrefix($0) }
      #expect(outcome.peakFused > 0 || !isSeen, "\(outcome)")
      let concernsPoints = [":LIDAR", "drop:*", "pose:", "reorder:"].contains { text.contains($0) }
      #expect((outcome.peakOccupancy > 0) == concernsPoints, "\(outcome)")
      let isMisplacing = Self.misplacing.contains { text.hasPrefix($0) }
      #expect(outcome.recoveryFrames ?? .max <= (isMisplacing ? 10 : 4), "\(outcome)")
      // Only what the lost scan alone would have seen: 2.2 % at most here.
      if !isMisplacing { #expect(outcome.residualUnseen <= 0.03, "\(outcome)") }
      let kind = text.prefix { $0 != ":" }
      #expect(outcome.warnings.contains("injected-\(kind)"), "\(outcome)")
    }
    // The same trial, whose drive takes long to make: without a fault nothing differs, and where a
    // mount stays turned there is nothing to recover to.
    let nothing = try trial.outcome(of: FaultPlan("drop:NOBODY@1#4-4"))
    #expect(nothing.peakFused == 0 && nothing.peakOccupancy == 0 && nothing.recoveryFrames == 0)
    #expect(nothing.residualUnseen == 0 && nothing.unseenShare > 0 && nothing.unseenShare < 0.9)
    let lasting = try trial.outcome(of: FaultPlan("rotate:LIDAR_TOP@20deg#4-\(Self.frames - 1)"))
    #expect(lasting.recoveryFrames == nil && lasting.peakOccupancy > 0.01)
    withExtendedLifetime(folder) {}
  }

  @Test func `faults happen in their frames only`() throws {
    let plan = try FaultPlan("drop:CAM@1#3-5,clockjump:CAM@2s#7,late:CAM@50ms@0.5#1-2")
    #expect(plan.faults.map(\.frames) == [3...5, 7...7, 1...2])
    #expect(plan.faults[2].probability == 0.5 && plan.faults[2].amount == 0.05)
    for text in ["drop:CAM@1#", "drop:CAM@1#5-3", "drop:CAM@1#a", "drop:CAM@1#-2", "drop:CAM@1#1-2-3"] {
      #expect(throws: ConfigurationError.self, "\(text)") { _ = try FaultPlan(text) }
    }
  }

  /// Response times after one frame of 250 ms at 10 frames a second and 20 ms of work each.
  @Test func `one hiccup is worked off and then gone`() {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.encodeMilliseconds = 0
    processor.milliseconds = { $0 == 5 ? 250 : 20 }
    var options = ReplayOptions()
    options.rate = .framesPerSecond(10)
    options.isGated = false
    options.warmupFrameCount = 0
    let result = Replayer(
      source: FakeSource(frameCount: 20), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release
    ).run()
    let responses = result.records.compactMap { $0.responseNanoseconds.map { $0 / 1_000_000 } }
    // It is 150 ms behind, and every frame makes up for 80.
    #expect(Array(responses[4...8]) == [20, 250, 170, 90, 20])
    #expect(responses[8...].allSatisfy { $0 == 20 })
  }
}
