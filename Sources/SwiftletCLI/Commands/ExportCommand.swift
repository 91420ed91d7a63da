import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a recording as the plain tensors that programs linking the C library read.",
    discussion: """
      Writes pipeline.json, rig.safetensors and a frame-NNNNNN.safetensors for every frame: poses in \
      float64, features and depth (the recording's, the built-in encoder's where there are none) \
      points, radar maps and map priors as they are handed to the pipeline. `swiftlet_frame_file_open` reads them in place.
      A consumer that processes them in order has the digest that `swiftlet replay` prints for the \
      same recording, configuration and instruction set.

      Exit codes: 0 written, 1 a file cannot be written, 4 the recording cannot be read.

      Examples:
        swiftlet export drive --out frames
        swiftlet export drive --out frames --frames 10 --config pipeline.json
      """)

  @Argument(help: "A recording.") var path: String
  @Option(help: "Folder to write; made where missing.") var out: String
  @Option(help: "Frames to write at most.") var frames: Int?
  @Option(help: "pipeline.json; see swiftlet config.") var config: String?
  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var recordingOptions: RecordingSelection
  @Flag(help: "Print the outcome as JSON.") var json = false

  func run() throws {
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), engine: try engineOptions.makeEngine(),
      threadCount: engineOptions.threads)
    let processor = try usage { try loader.makeProcessor() }
    let recording = try open(loader)
    let limit = min(frames ?? .max, recording.frameCount)
    var written = 0
    var byteCount = 0
    do {
      let exporter = try FrameExporter(processor: processor, folder: URL(fileURLWithPath: out))
      let source = RecordingSource(recording)
      for index in 0..<limit {
        let frame: any ReplayFrame
        do { frame = try source.frame(at: index) } catch {
          printError("frame \(index): \(error)")
          continue
        }
        byteCount += try exporter.write(frame.sensorFrame, index: written)
        written += 1
      }
    } catch {
      printError("\(out): \(error); choose a folder that can be written")
      throw ExitCode(1)
    }
    guard written > 0 else {
      printError("\(path): expected frames, found none that can be read; check it with swiftlet info")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    print(
      json
        ? #"{"frames": \#(written), "bytes": \#(byteCount)}"#
        : "\(out): pipeline.json, rig.safetensors and \(written) frames, \(byteCount) bytes")
  }

  private func open(_ loader: PipelineLoader) throws -> any Recording {
    var options = loader.recordingOptions
    recordingOptions.apply(to: &options)
    do throws(RecordingError) {
      return try RecordingOpener.open(path: path, options: options)
    } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }
}
