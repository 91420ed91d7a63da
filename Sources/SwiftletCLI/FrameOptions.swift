import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

/// Which frame of which recording, and with which calibration: shared by the projection commands.
struct FrameOptions: ParsableArguments {
  @Argument(help: "A nuScenes or KITTI folder, an MCAP file or a ROS 2 bag.") var path: String
  @Option(help: "The frame, from 0 on.") var frame = 0
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Option(help: "A rig.json whose calibrations replace the recording's.") var rig: String?
  @Option(help: "Treat this camera as missing; may be repeated.") var drop: [String] = []

  func open() throws -> any Recording {
    do throws(RecordingError) {
      return try RecordingOpener.open(
        path: path, options: RecordingOptions(posesFile: poses, scene: scene))
    } catch {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  /// Reads a frame; its views live as long as the returned object.
  func load(_ recording: any Recording, _ index: Int) throws -> RecordedFrame {
    guard (0..<recording.frameCount).contains(index) else {
      throw ValidationError(
        "--frame: expected 0 to \(recording.frameCount - 1), found \(index)")
    }
    do throws(RecordingError) {
      let loaded = try recording.loadFrame(index)
      for warning in loaded.warnings { printError("warning: \(warning.message)") }
      return loaded
    } catch {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  /// The frame as this command sees it: other calibrations, dropped cameras. Call it while the
  /// recorded frame is alive.
  func prepared(_ recorded: RecordedFrame) throws -> SensorFrame {
    var frame = recorded.sensorFrame
    guard !frame.cameras.isEmpty else {
      printError("\(path): expected a camera, found none; choose a recording with images")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    if let rig {
      try reportingProblems { try loadRig(rig).apply(to: &frame) }
    }
    for name in drop {
      guard let index = frame.cameras.firstIndex(where: { $0.name == name }) else {
        throw ValidationError(
          "--drop: expected one of \(frame.cameras.map(\.name).joined(separator: ", ")), found \(name)")
      }
      frame.cameras[index].isValid = false
    }
    return frame
  }
}

/// Reads a rig file; what is wrong with it is a usage error.
func loadRig(_ path: String) throws -> CalibrationRig {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw ValidationError("\(path): expected a readable rig.json; check the path")
  }
  do throws(ConfigurationError) {
    return try CalibrationRig(json: Array(data))
  } catch {
    throw ValidationError("\(path): \(error)")
  }
}

/// Runs `body`; unusable inputs and calibrations end with one line and exit code 4.
func reportingProblems<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as InputError {
    printError(error.description)
  } catch let error as CalibrationError {
    printError(error.description)
  } catch let error as ConfigurationError {
    printError(error.description)
  }
  throw ExitCode(ExitStatus.recordingDamaged.rawValue)
}

/// Writes a picture, or ends with exit code 1.
func writePicture(_ image: RGBImage, to path: String) throws {
  do {
    try writeFile(try PNGCodec.encode(image), to: path)
  } catch let error as CodecError {
    printError("\(path): \(error)")
    throw ExitCode(ExitStatus.internalError.rawValue)
  }
}

/// Writes bytes, making the folder where needed, or ends with exit code 1.
func writeFile(_ bytes: [UInt8], to path: String) throws {
  do {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url, options: .atomic)
  } catch {
    printError("\(path): \(error.localizedDescription); choose a folder that can be written")
    throw ExitCode(ExitStatus.internalError.rawValue)
  }
}

extension JSONValue {
  /// Null for nil.
  static func optional(_ value: Double?) -> JSONValue {
    guard let value else { return .null }
    return .number(value)
  }
  static func optional(_ value: String?) -> JSONValue {
    guard let value else { return .null }
    return .string(value)
  }
  static func count(_ value: Int) -> JSONValue { .integer(Int64(value)) }
  static func vector(_ v: SIMD3<Double>) -> JSONValue {
    .array([.number(v.x), .number(v.y), .number(v.z)])
  }
}
