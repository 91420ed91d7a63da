import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct FusionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fusion",
    abstract: "Compare camera, LiDAR, early, middle and late fusion on one drive.",
    discussion: """
      Every arrangement sees the same frames through the same encoder. Where the recording has a \
      ground truth (swiftlet synth) the maps lie on its cells (200 x 200 of 0.4 m) and each \
      arrangement gets a linear head: is there an obstacle 0.2 to 2.6 m above the ground. It is \
      fitted in closed form on the first half of the frames, its threshold too, and scored on the \
      second half: IoU, the same with all cameras or the LiDAR lost in the scored frames, average \
      precision. Camera alone has no LiDAR depth either. Without a ground truth the table has \
      valid cells and times only.

      --weights-out writes the middle arrangement's semantic and occupancy head, and the experts of \
      late fusion, as a weights file; the pipeline.json it is for lies beside it.

      Exit codes: 0 compared, 4 the recording cannot be read.

      Examples:
        swiftlet synth drive --frames 20 --seed 1 && swiftlet fusion drive --out pictures
        swiftlet fusion drive --weights-out heads.safetensors
        swiftlet replay drive --config heads.safetensors.json --weights heads.safetensors --out report
      """)

  @Argument(help: "A recording.") var path: String
  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var recordingOptions: RecordingSelection
  @Option(help: "pipeline.json; the grid is the truth's where there is one.") var config: String?
  @Option(help: "Frames to use at most.") var frames: Int?
  @Option(help: "Folder for pictures of the last frame; made where missing.") var out: String?
  @Option(help: "Write the fitted heads to this weights file.") var weightsOut: String?
  @Flag(help: "Print JSON instead of the table.") var json = false

  func run() throws {
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), engine: try engineOptions.makeEngine(),
      threadCount: engineOptions.threads)
    var options = loader.recordingOptions
    recordingOptions.apply(to: &options)
    do {
      let recording = try RecordingOpener.open(path: path, options: options)
      let study = FusionStudy(
        recording: recording,
        truth: try GroundTruthStore(recording: URL(fileURLWithPath: path)),
        configuration: loader.configuration, engine: loader.engine,
        threadCount: loader.threadCount, frameLimit: frames)
      let rows = try study.run()
      print(json ? FusionStudy.json(rows).text : FusionStudy.table(rows))
      try write(study)
    } catch let error as RecordingError {
      printError("\(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  private func write(_ study: FusionStudy) throws {
    if let out {
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      for (name, image) in study.pictures {
        let file = URL(fileURLWithPath: out).appending(path: "obstacles_\(name).png")
        try Data(try PNGCodec.encode(image, fast: true)).write(to: file)
      }
      printError("\(study.pictures.count) pictures in \(out)")
    }
    guard let weightsOut else { return }
    guard let (file, configuration) = study.fittedWeights() else {
      throw ValidationError("--weights-out: the recording has no ground truth to fit heads to")
    }
    try Data(file.serialized()).write(to: URL(fileURLWithPath: weightsOut))
    try Data(configuration.commentedJSON.utf8).write(
      to: URL(fileURLWithPath: weightsOut + ".json"))
    printError("\(weightsOut) and \(weightsOut).json")
  }
}
