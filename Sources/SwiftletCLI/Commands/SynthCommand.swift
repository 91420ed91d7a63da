import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct SynthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synth",
    abstract: "Make a synthetic street drive with ground truth.",
    discussion: """
      Ray-casts a street seen by six cameras and a 64-beam spinning LiDAR and writes it as a nuScenes \
      v1.0 data set, with exact occupied and free voxels, boxes and velocities in ground_truth/. The \
      same seed gives the same files, and a longer drive starts with the shorter one.

      Exit codes: 0 done, 4 the folder cannot be written or holds a drive already, 64 usage.

      Examples:
        swiftlet synth drive --frames 40 --seed 7
        swiftlet synth drive --frames 200 --rate 20 --force
      """)

  @Argument(help: "Folder to write.") var out: String
  @Option(help: "Number of frames.") var frames: Int
  @Option(help: "Seed of street, traffic and noise.") var seed: UInt64 = 1
  @Option(help: "Frames a second, 0.1 to 20.") var rate = 10.0
  @Option(help: "Image width in pixels.") var width = 704
  @Option(help: "Image height in pixels.") var height = 256
  @Option(help: "LiDAR firings in one revolution.") var azimuths = 2048
  @Option(help: "Frames made at the same time; default: one a core.") var threads: Int?
  @Flag(help: "Leave points uncorrected for ego motion and write their times beside them.")
  var rawSweep = false
  @Flag(help: "Replace a drive that is there.") var force = false
  @Flag(help: "Print JSON instead of text.") var json = false

  func validate() throws {
    guard (1...1_000_000).contains(frames) else {
      throw ValidationError("--frames: expected 1 to 1,000,000, found \(frames)")
    }
    guard (1...256).contains(threads ?? 1) else {
      throw ValidationError("--threads: expected 1 to 256, found \(threads ?? 1)")
    }
  }

  func run() throws {
    let drive: SyntheticDrive
    do throws(ConfigurationError) {
      drive = try SyntheticDrive(
        options: SyntheticDriveOptions(
          seed: seed, framesPerSecond: rate, imageWidthPixels: width, imageHeightPixels: height,
          lidarAzimuthCount: azimuths, writesRawSweep: rawSweep))
    } catch {
      throw ValidationError("\(error)")
    }
    let writer = SyntheticDriveWriter(
      drive: drive, frameCount: frames, folder: URL(fileURLWithPath: out))
    let start = ContinuousClock.now
    let total = frames
    do {
      try writer.write(
        overwrites: force,
        threadCount: threads ?? ProcessInfo.processInfo.activeProcessorCount
      ) { done in
        if done % 10 == 0 || done == total { printError("frame \(done) of \(total)") }
      }
    } catch {
      printError("\(error)")
      throw ExitCode(4)
    }
    report(seconds: (ContinuousClock.now - start) / .seconds(1))
  }

  private func report(seconds: Double) {
    if json {
      let value = JSONValue.object([
        "path": .string(out), "frames": .integer(Int64(frames)), "seed": .string("\(seed)"),
        "rate": .number(rate), "seconds": .number(seconds),
      ])
      print(value.text)
    } else {
      let speed = String(format: "%.1f", Double(frames) / seconds)
      print("\(out): \(frames) frames, seed \(seed), \(speed) frames/s")
    }
  }
}
