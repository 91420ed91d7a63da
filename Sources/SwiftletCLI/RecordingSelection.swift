import ArgumentParser
import Swiftlet
import SwiftletReplay

/// Which part of a recording, and how its sensors are matched.
struct RecordingSelection: ParsableArguments {
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Option(help: "The sensor whose samples make frames. Default: the LiDAR, else the first camera.")
  var trigger: String?
  @Option(help: "Samples of other sensors: nearest, or latest (not after the frame).")
  var association: SampleAssociation?
  @Option(help: "Samples further from the frame than this are not used.")
  var maxAge: DurationOption?
  @Option(help: "The time messages are ordered by: header, publish or log (MCAP, ROS 2 bags).")
  var clock: SampleClock?

  func apply(to options: inout RecordingOptions) {
    options.scene = scene
    options.posesFile = poses
    if let trigger { options.triggerSensor = trigger }
    if let association { options.association = association }
    if let maxAge { options.maximumAge = .nanoseconds(maxAge.nanoseconds) }
    if let clock { options.clock = clock }
  }
}

extension SampleAssociation: ExpressibleByArgument {}
extension SampleClock: ExpressibleByArgument {}
extension DeadlinePolicy: ExpressibleByArgument {}

/// Faults on demand.
struct FaultOptions: ParsableArguments {
  @Option(
    help: """
      Faults to inject, kind:sensor@value separated by commas; * means all sensors. Probabilities: \
      drop, duplicate, freeze, reorder, corrupt. Amounts, with an optional @probability: \
      late:S@50ms, clockjump:*@2s, pose:*@5m@0.1, rotate:S@2deg, focal:S@0.9, sector:S@90deg. Every \
      kind may end in #FIRST-LAST, the only frames in which it happens.
      """)
  var inject: String?
  @Option(help: "Seed of the injected faults.") var seed: UInt64 = 1

  /// What the report says.
  var text: String? { inject.map { "\($0), seed \(seed)" } }

  /// Fails when a fault names a sensor that the recording does not have.
  func check(_ recording: any Recording) throws {
    guard let inject else { return }
    let plan = try usage { try FaultPlan(inject, seed: seed) }
    try usage { try plan.check(sensors: recording.sensors) }
  }

  func apply(
    to source: any FrameSource, _ configuration: PipelineConfiguration
  ) throws -> any FrameSource {
    guard let inject else { return source }
    return FaultySource(
      source, plan: try usage { try FaultPlan(inject, seed: seed) },
      maximumAgeNanoseconds: Int64(configuration.maximumAgeMilliseconds * 1e6),
      maximumEgoSpeedMetersPerSecond: configuration.maximumEgoSpeedMetersPerSecond)
  }
}
