import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "What a weights file holds, where each tensor goes, and what does not fit.",
    discussion: """
      A file with fusion. tensors is compared with a pipeline.json (default: the default one); any \
      other with an encoder of BEVFormer's kind under the names of BEVFormer, UniAD and FB-OCC \
      (mmdet3d), whose sizes come from its own first layer. Every missing, extra, misshapen or \
      non-finite tensor is named with the shape found and expected. --convert writes the encoder's \
      tensors under our names; state dicts of torch become .safetensors with \
      Benchmarks/scripts/convert_weights.py. --default writes the pipeline's default weights.

      --run runs an encoder on recorded inputs and compares its outputs with those of another \
      implementation; Benchmarks/scripts/encoder_case.py makes such a case with torch. fp32 is judged \
      by the largest difference, the other precisions by 1 % relative L2 error. int8 takes its input \
      scales from the weights file or from --scales (see `swiftlet calibrate`), else one per row.

      Exit codes: 0 fits, 3 the outputs differ by more than --tolerance, 4 damaged or does not fit, \
      64 usage.

      Examples:
        swiftlet weights fusion.safetensors --config pipeline.json
        swiftlet weights bevformer_tiny.safetensors --convert encoder.safetensors
        swiftlet weights encoder.safetensors --json
        swiftlet weights encoder.safetensors --run case.safetensors
        swiftlet weights encoder.safetensors --run case.safetensors --precision int8 --scales scales.json
        swiftlet weights --default fusion.safetensors
      """)

  @Argument(help: "A .safetensors file.") var file: String?
  @Option(help: "Compare with a pipeline of this pipeline.json.") var config: String?
  @Option(help: "Write the encoder's tensors under our names to this file.") var convert: String?
  @Option(name: .customLong("default"), help: "Write the default weights to this file.")
  var defaultFile: String?
  @Option(name: .customLong("run"), help: "Run the encoder on the inputs of this case and compare.")
  var caseFile: String?
  @Option(help: "Largest accepted difference over the largest expected value, in fp32.")
  var tolerance = 2e-5
  @Option(help: "Precision of the encoder's dense layers with --run: fp32, fp16, bf16 or int8.")
  var precision = "fp32"
  @Option(help: "Input scales for int8, a JSON file of `swiftlet calibrate`.") var scales: String?
  @OptionGroup var engineOptions: EngineOptions
  @Flag(help: "Print JSON instead of the table.") var json = false

  func validate() throws {
    guard file != nil || defaultFile != nil else {
      throw ValidationError("expected a weights file, or --default FILE")
    }
  }

  func run() throws {
    if let defaultFile { try writeDefault(defaultFile) }
    guard let file else { return }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ValidationError("\(file): expected a readable .safetensors file; check the path")
    }
    let purpose = try config.map {
      WeightsInspection.Purpose.pipeline(try loadConfiguration($0))
    }
    do throws(WeightsError) {
      let inspection = try WeightsInspection(bytes: Array(data), purpose: purpose)
      print(json ? inspection.json.text : inspection.table)
      if !inspection.problems.isEmpty { throw WeightsError.reported }
      if let convert { try write(converted: Array(data), to: convert) }
    } catch {
      if error != .reported { printError("\(file): \(error)") }
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    if let caseFile { try compare(Array(data), with: caseFile) }
  }

  private func compare(_ weights: [UInt8], with path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("\(path): expected a readable case; check the path")
    }
    let precision = try usage { try DensePrecision.named(self.precision) }
    let results = try usage {
      try makeCase(weights, Array(data), precision).run(
        engine: try engineOptions.makeEngine(),
        pool: WorkerPool(threadCount: engineOptions.threads))
    }
    var differs = false
    for result in results {
      let isWithin =
        precision == .fp32
        ? result.largestDifference <= tolerance * result.largestExpected
        : result.relativeError <= EncoderCalibrator.int8Bound
      differs = differs || !isWithin
      print(
        String(
          format: "%@: largest difference %.2e of %.2f, relative L2 error %.2e, ", result.name,
          result.largestDifference, result.largestExpected, result.relativeError)
          + (isWithin ? "agrees" : "DIFFERS"))
    }
    if differs || results.isEmpty { throw ExitCode(ExitStatus.outputMismatch.rawValue) }
  }

  private func makeCase(
    _ weights: [UInt8], _ inputs: [UInt8], _ precision: DensePrecision
  ) throws -> EncoderCase {
    var encoder = try EncoderCase(
      weights: try SafeTensors(bytes: weights), inputs: try SafeTensors(bytes: inputs))
    encoder.precision = precision
    if precision == .int8 { try setScales(of: &encoder, weights) }
    return encoder
  }

  /// From --scales, else those of the weights file; says which.
  private func setScales(of encoder: inout EncoderCase, _ weights: [UInt8]) throws {
    guard let scales else {
      let count = encoder.inputScales?.count
      return printError("int8 input scales: " + (count.map { "\($0) of the weights file" } ?? "one per row"))
    }
    guard let data = FileManager.default.contents(atPath: scales) else {
      throw ValidationError("--scales: \(scales) cannot be read; check the path")
    }
    let file = try ScalesFile(json: Array(data), weightsHash: OutputDigest.hash(weights))
    encoder.inputScales = file.scales
    printError("int8 input scales: \(file.scales.count) of \(scales) (\(file.hash))")
  }

  private func write(converted bytes: [UInt8], to path: String) throws(WeightsError) {
    let (file, dropped) = try PublicWeightNames.convert(try SafeTensors(bytes: bytes))
    guard FileManager.default.createFile(atPath: path, contents: Data(file.serialized())) else {
      throw WeightsError(
        tensor: "file", expected: "a place to write", found: path, remedy: "check the path")
    }
    printError("\(path): \(file.tensors.count) tensors, \(dropped.count) left out")
  }

  private func writeDefault(_ path: String) throws {
    let configuration = try loadConfiguration(config)
    let weights = PipelineWeights(
      fusion: .default(
        channels: configuration.channelCount, heads: configuration.fusion.headCount,
        modalities: ModalityFusion.maximumModalities))
    let bytes = weights.file(configuration: configuration).serialized()
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
      throw ValidationError("\(path): cannot be written; check the path")
    }
    print("\(path): default weights, \(bytes.count) bytes")
  }
}

extension WeightsError {
  /// The problems are already on the screen.
  fileprivate static let reported = WeightsError(tensor: "", expected: "", found: "", remedy: "")
}
