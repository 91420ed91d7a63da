import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract: "Measure the inputs of an encoder's dense layers over a recording: scales for int8.",
    discussion: """
      Runs a BEVFormer encoder (50 × 50 cells; --weights, or 3 layers of random ones) over the recording's camera \
      features, the built-in ones where it has none. The first half of the frames gives each layer's \
      input scale, the largest magnitude / 127; on the second half bf16 and int8 with those scales \
      are compared with fp32 (relative L2 error of the encoder's output). --out X.json writes scales \
      beside the weights' hash; --out X.safetensors (with --weights) writes the weights with the \
      scales inside. --scales compares scales made before on every frame of a recording; `swiftlet \
      weights --run CASE --precision int8` uses either.

      Exit codes: 0 written, 1 the file cannot be written, 3 int8 is more than 1 % from fp32, 4 the \
      recording cannot be read or has no features of one size, or the scales do not fit.

      Examples:
        swiftlet calibrate drive/ --out scales.json
        swiftlet calibrate drive/ --frames 20 --threads 2 --out scales.json
        swiftlet calibrate drive/ --weights encoder.safetensors --out encoder-int8.safetensors
        swiftlet calibrate other-drive/ --scales scales.json
      """)

  @Argument(help: "A recording.") var path: String
  @Option(help: "Frames to calibrate on, and as many to compare on.") var frames = 8
  @Option(help: "A pipeline.json (see `swiftlet config`).") var config: String?
  @Option(
    help: """
      A .safetensors file with a BEVFormer or UniAD encoder of one level. Default: seeded random \
      weights.
      """)
  var weights: String?
  @Option(help: "Attention heads of the encoder.") var heads = 8
  @Option(help: "The file to write: .json, or .safetensors for the weights with the scales.")
  var out: String?
  @Option(help: "Compare these scales instead of measuring: a file that calibrate wrote.")
  var scales: String?
  @OptionGroup var engineOptions: EngineOptions

  func validate() throws {
    guard (1...10_000).contains(frames) else {
      throw ValidationError("--frames: expected 1 to 10000, found \(frames)")
    }
    guard (1...64).contains(heads) else {
      throw ValidationError("--heads: expected 1 to 64, found \(heads)")
    }
    guard out != nil || scales != nil else {
      throw ValidationError("expected --out FILE, --scales FILE or both")
    }
    guard weights != nil || out?.hasSuffix(".safetensors") != true else {
      throw ValidationError("--out: a .safetensors file takes the weights given by --weights")
    }
  }

  func run() throws {
    let engine = try engineOptions.makeEngine()
    let configuration = try loadConfiguration()
    var calibrator = EncoderCalibrator(
      configuration: configuration, engine: engine, threadCount: engineOptions.threads)
    calibrator.frameCount = frames
    calibrator.heads = heads
    if let weights { calibrator.weights = try loadWeights(weights) }
    let given = try scales.map { try loadScales($0, calibrator.weights) }
    calibrator.scales = given?.scales
    let result: CalibrationResult
    do {
      let recording = try RecordingOpener.open(path: path)
      result = try calibrator.calibrate(RecordingSource(recording))
    } catch let error as RecordingError {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    } catch {
      printError("\(path): \(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    if let out { try write(result, calibrator.weights?.file, to: out) }
    let errors = result.relativeError.sorted { $0.key < $1.key }
      .map { "\($0.key) \(String(format: "%.2e", $0.value))" }.joined(separator: ", ")
    let source = given.map { "of \(scales ?? "") (\($0.hash))" } ?? "from \(result.calibratedFrames) frames"
    print(
      "\(result.scales.count) scales \(source); relative L2 error "
        + "against fp32 over \(result.comparedFrames) others: \(errors.isEmpty ? "none compared" : errors)")
    if let error = result.relativeError["int8"], !(error <= EncoderCalibrator.int8Bound) {
      printError("int8: \(error) is above \(EncoderCalibrator.int8Bound)")
      throw ExitCode(ExitStatus.outputMismatch.rawValue)
    }
  }

  private func loadWeights(
    _ path: String
  ) throws -> (file: SafeTensors, name: String, hash: String) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--weights: \(path) cannot be read")
    }
    do throws(WeightsError) {
      let bytes = Array(data)
      return (try SafeTensors(bytes: bytes), path, OutputDigest.hash(bytes))
    } catch {
      throw ValidationError("--weights: \(path): \(error)")
    }
  }

  private func loadScales(
    _ path: String, _ weights: (file: SafeTensors, name: String, hash: String)?
  ) throws -> ScalesFile {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("--scales: \(path) cannot be read")
    }
    do throws(WeightsError) {
      return try ScalesFile(json: Array(data), weightsHash: weights?.hash)
    } catch {
      printError("\(path): \(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  private func loadConfiguration() throws -> PipelineConfiguration {
    guard let config else { return PipelineConfiguration() }
    guard let data = FileManager.default.contents(atPath: config) else {
      throw ValidationError("--config: \(config) cannot be read")
    }
    do throws(ConfigurationError) {
      return try PipelineConfiguration(json: Array(data))
    } catch {
      throw ValidationError("\(config): \(error)")
    }
  }

  private func write(
    _ result: CalibrationResult, _ weights: SafeTensors?, to out: String
  ) throws {
    do {
      var data = try JSONText.pretty(result)
      if let weights, out.hasSuffix(".safetensors") {
        let ours = try PublicWeightNames.convert(weights).file
        data = Data(InputScales.adding(result.scales, to: ours).serialized())
      }
      try data.write(to: URL(fileURLWithPath: out))
    } catch {
      printError("\(out): \(error.localizedDescription); choose a folder that can be written")
      throw ExitCode(ExitStatus.internalError.rawValue)
    }
  }
}
