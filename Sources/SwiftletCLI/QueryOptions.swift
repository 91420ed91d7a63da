import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

/// What every `swiftlet query` asks: which window, and in whose coordinates.
struct QueryArguments: ParsableArguments {
  @Argument(help: "A recording, or a saved map (.safetensors, .swlmap, .bt, .ot).")
  var path: String
  @Option(help: "Frames of a recording to take in first; default: all.") var frames: Int?
  @Option(help: "Edge of a voxel, metres (recordings).") var voxel = 0.2
  @Option(
    name: .customLong("max-range"), help: "Points farther away only clear, metres (recordings).")
  var maximumRange = 50.0
  @Option(help: "\(OccupancyMode.allCases.map(\.rawValue).joined(separator: ", ")).")
  var mode = "realtime"
  @Flag(help: "Moving things are freed by the first ray that passes and fade within a second.")
  var ages = false
  @Option(help: "What recordings are read for, with commas: lidar, depth, occupancy, radar.")
  var evidence = "lidar"
  @Option(help: "Lower end and step of the cameras' depth bins, metres.") var depthBins = "1,0.5"
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "The vehicle in a saved map: x,y,z or x,y,z,yaw (metres, degrees).")
  var ego: String?
  @Flag(help: "Coordinates are of the world, not of the ego (x forward, y left, z up).")
  var world = false
  @OptionGroup var engine: EngineOptions
  @Flag(help: "Print JSON instead of text.") var json = false

  func validate() throws {
    if let frames, frames < 1 { throw ValidationError("--frames: expected 1 or more, found \(frames)") }
  }

  /// Reads the window; bad files end with one line and exit code 4.
  func open(
    afterFrame: (OccupancyGrid, SensorFrame) throws -> Void = { _, _ in }
  ) throws -> QueryWindow {
    try read(labels: false) { grid, frame, _ in
      try frame.withSensorFrame { try afterFrame(grid, $0) }
    }
  }

  /// The same, with the classes of points; `afterFrame` is given the folder of `network_outputs` too.
  func openWithLabels(
    afterFrame: (OccupancyGrid, RecordedFrame, _ root: String) throws -> Void
  ) throws -> QueryWindow {
    try read(labels: true, afterFrame)
  }

  private func read(
    labels: Bool, _ afterFrame: (OccupancyGrid, RecordedFrame, String) throws -> Void
  ) throws -> QueryWindow {
    var options = QueryOptions()
    options.voxelSizeMeters = voxel
    options.maximumRangeMeters = maximumRange
    options.frameCount = frames
    guard let chosen = OccupancyMode(rawValue: mode) else {
      let names = OccupancyMode.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--mode: expected \(names), found \(mode)")
    }
    options.mode = chosen
    if ages { options.aging = OccupancyAgingConfiguration() }
    options.evidence = try evidenceSettings()
    options.recording.poses(poses, scene: scene)
    options.recording.readsPointLabels = labels
    if let ego { options.worldFromEgo = try Self.pose(ego, "--ego") }
    return try reportingQueryErrors {
      let window = try QueryWindow.read(
        path, options: options, engine: try engine.makeEngine(),
        pool: WorkerPool(threadCount: engine.threads), afterRecordedFrame: afterFrame)
      for warning in window.warnings { printError("warning: \(warning)") }
      if let fed = window.evidence, evidence != "lidar" { printError("evidence: \(fed.text)") }
      return window
    }
  }

  private func evidenceSettings() throws -> EvidenceFeeder.Settings {
    var settings = EvidenceFeeder.Settings()
    let names = evidence.split(separator: ",").map(String.init)
    let sources = names.compactMap(EvidenceSource.init)
    guard !names.isEmpty, sources.count == names.count else {
      let expected = EvidenceSource.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--evidence: expected some of \(expected), found \(evidence)")
    }
    settings.sources = Set(sources)
    let bins = try Self.numbers(depthBins, [2], "--depth-bins")
    guard bins[0] >= 0, bins[1] > 0 else {
      throw ValidationError("--depth-bins: expected a lower end and a step above 0, found \(depthBins)")
    }
    (settings.depthLowerMeters, settings.depthStepMeters) = (Float(bins[0]), Float(bins[1]))
    return settings
  }

  /// World from the coordinates that the options are given in.
  func worldFromGiven(_ window: QueryWindow) -> RigidTransform {
    world ? .identity : window.worldFromEgo
  }

  static func numbers(_ text: String, _ counts: [Int], _ option: String) throws -> [Double] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    guard values.count == parts.count, counts.contains(values.count),
      values.allSatisfy({ $0.isFinite && abs($0) < 1e7 })
    else {
      let expected = counts.map(String.init).joined(separator: " or ")
      throw ValidationError("\(option): expected \(expected) numbers with commas, found \(text)")
    }
    return values
  }
  static func vector(_ text: String, _ option: String) throws -> SIMD3<Double> {
    let v = try numbers(text, [3], option)
    return SIMD3(v[0], v[1], v[2])
  }
  /// x,y,z or x,y,z,yaw in degrees or x,y,z,qw,qx,qy,qz.
  static func pose(_ text: String, _ option: String) throws -> RigidTransform {
    let v = try numbers(text, [3, 4, 7], option)
    var turn = Quaternion.identity
    if v.count == 4 { turn = Quaternion(axis: SIMD3(0, 0, 1), radians: v[3] * .pi / 180) }
    if v.count == 7 {
      turn = Quaternion(w: v[3], x: v[4], y: v[5], z: v[6])
      guard turn.norm > 1e-6 else {
        throw ValidationError("\(option): expected a quaternion that is not 0, found \(text)")
      }
      turn = turn.normalized
    }
    return RigidTransform(rotation: turn, translation: SIMD3(v[0], v[1], v[2]))
  }
}

extension RecordingOptions {
  fileprivate mutating func poses(_ file: String?, scene: String?) {
    posesFile = file
    self.scene = scene
  }
}

/// Runs `body`; bad files and settings end with one line and exit code 4.
func reportingQueryErrors<R>(_ body: () throws -> R) throws -> R {
  do {
    return try body()
  } catch let error as ExchangeError {
    printError(error.description)
    throw ExitCode(4)
  } catch let error as RecordingError {
    printError(error.description)
    throw ExitCode(4)
  } catch let error as InputError {
    printError(error.description)
    throw ExitCode(4)
  } catch let error as ConfigurationError {
    throw ValidationError("\(error)")
  }
}

func jsonNumbers(_ v: SIMD3<Double>) -> JSONValue {
  .array([.number(v.x), .number(v.y), .number(v.z)])
}
func jsonKey(_ key: VoxelKey) -> JSONValue {
  .array([.integer(Int64(key.x)), .integer(Int64(key.y)), .integer(Int64(key.z))])
}
func fixed(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
