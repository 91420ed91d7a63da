import Foundation
import Swiftlet
import SwiftletReplay
import Testing

private func json(
  version: String = "1", hash: String = "\"aa\"", scales: String = "{\"layers.0.ffn.0\": 0.5}"
) -> [UInt8] {
  Array("{\"schema_version\": \(version), \"weights_hash\": \(hash), \"scales\": \(scales)}".utf8)
}

@Suite struct ScalesFileTests {
  @Test func `scales, weights and the hash of the bytes come back`() throws {
    let file = try ScalesFile(json: json(), weightsHash: "aa")
    #expect(file.scales == ["layers.0.ffn.0": 0.5])
    #expect(file.hash == OutputDigest.hash(json()))
    #expect(try ScalesFile(json: json(hash: "null"), weightsHash: nil).weightsHash == nil)
  }

  @Test(arguments: [
    (json(version: "2"), "schema_version"), (json(version: "\"1\""), "schema_version"),
    (json(hash: "\"bb\""), "weights_hash"), (json(hash: "null"), "weights_hash"),
    (json(scales: "{}"), "scales"), (json(scales: "[1]"), "scales"),
    (json(scales: "{\"a\": 0}"), "scales.a"), (json(scales: "{\"a\": -1}"), "scales.a"),
    (json(scales: "{\"a\": 1e60}"), "scales.a"), (json(scales: "{\"a\": \"1\"}"), "scales.a"),
    (Array("{".utf8), "file"), ([], "file"),
  ])
  func `what does not fit is named`(bytes: [UInt8], field: String) {
    let error = #expect(throws: WeightsError.self) {
      try ScalesFile(json: bytes, weightsHash: "aa")
    }
    #expect(error?.tensor == "scales file, \(field)")
  }
}

@Suite struct InputScalesTests {
  private let bare = SafeTensors(tensors: ["other": HostTensor([1 as Float], shape: [1])])

  @Test func `scales inside a weights file survive its bytes`() throws {
    let scales: [String: Float] = ["layers.0.ffn.0": 0.25, "layers.0.tsa.value_proj": 3]
    let file = InputScales.adding(scales, to: InputScales.adding(["old": 1], to: bare))
    let read = try SafeTensors(bytes: file.serialized())
    #expect(try InputScales.read(read) == scales)
    #expect(read.tensors["other"] != nil)
    #expect(try InputScales.read(bare) == nil)
    #expect(try InputScales.read(try PublicWeightNames.convert(read).file) == scales)
  }

  @Test(arguments: [[0], [-1], [Float.nan], [1, 2], []] as [[Float]])
  func `a scale that is none is named`(values: [Float]) {
    var file = bare
    file.tensors[InputScales.prefix + "layers.0.ffn.0"] = HostTensor(values, shape: [values.count])
    let error = #expect(throws: WeightsError.self) { try InputScales.read(file) }
    #expect(error?.tensor == InputScales.prefix + "layers.0.ffn.0")
  }

  @Test func `the names are the encoder's own and any other is a problem of the file`() throws {
    let names = InputScales.layerNames(layers: 2)
    #expect(names.count == 18 && Set(names).count == 18)
  }
}

/// An encoder of three layers from the golden set: its weights and inputs as files of their own.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SWIFTLET_GOLDEN"] != nil))
struct CalibratedEncoderTests {
  private func files() throws -> (weights: SafeTensors, inputs: SafeTensors) {
    let folder = try #require(ProcessInfo.processInfo.environment["SWIFTLET_GOLDEN"])
    let url = URL(fileURLWithPath: folder).appendingPathComponent("08_encoder3.safetensors")
    let golden = try SafeTensors(bytes: Array(try Data(contentsOf: url)))
    var weights: [String: HostTensor] = [:]
    for (name, tensor) in golden.tensors where name.hasPrefix("param.layer") {
      let parts = name.dropFirst("param.layer".count).split(separator: ".", maxSplits: 1)
      let rest = parts[1].replacingOccurrences(of: "tsa.", with: "temporal.")
        .replacingOccurrences(of: "sca.", with: "spatial.")
      weights["encoder.layers.\(parts[0]).\(rest)"] = tensor
    }
    let inputs = golden.tensors.filter { !$0.key.hasPrefix("param.") }
    return (
      SafeTensors(tensors: weights), SafeTensors(tensors: inputs, metadata: golden.metadata)
    )
  }

  private func errors(
    _ files: (weights: SafeTensors, inputs: SafeTensors), _ precision: DensePrecision,
    scales: [String: Float]? = nil
  ) throws -> [Double] {
    var encoder = try EncoderCase(weights: files.weights, inputs: files.inputs)
    encoder.precision = precision
    if let scales { encoder.inputScales = scales }
    return try encoder.run(engine: .best, pool: WorkerPool(threadCount: 1)).map(\.relativeError)
  }

  @Test func `every precision of a golden encoder stays within its error of float64`() throws {
    // int8: 1.7 %, where an encoder of 256 channels has 0.9 %: heads of 12 channels sum fewer terms.
    let files = try files()
    for (precision, bound) in [
      (DensePrecision.fp32, 1e-5), (.fp16, 1e-3), (.bf16, 6e-3), (.int8, 2e-2),
    ] {
      let errors = try errors(files, precision)
      #expect(errors.count == 2)
      #expect(errors.allSatisfy { $0 <= bound && $0 > 0 }, "\(precision): \(errors)")
    }
  }

  @Test func `scales of a file or given ones change int8 and nothing else`() throws {
    let files = try files()
    // 1/127 of 4: a LayerNorm's largest output of 96 channels, near enough for every layer.
    let names = InputScales.layerNames(layers: 3)
    let scales = Dictionary(uniqueKeysWithValues: names.map { ($0, Float(4) / 127) })
    let calibrated = (InputScales.adding(scales, to: files.weights), files.inputs)
    let dynamic = try errors(files, .int8)
    let fixed = try errors(calibrated, .int8)
    #expect(fixed != dynamic)
    #expect(fixed.allSatisfy { $0 < 0.05 }, "\(fixed)")
    #expect(try errors(files, .int8, scales: scales) == fixed)
    #expect(try errors(calibrated, .fp32) == errors(files, .fp32))
    #expect(try WeightsInspection(
      bytes: calibrated.0.serialized(), purpose: .encoder).problems.isEmpty)
    var one = scales
    one["layers.2.ffn.1"] = nil
    #expect(throws: ConfigurationError.self) { try errors(files, .int8, scales: one) }
    let misnamed = InputScales.adding(["layers.7.ffn.0": 1], to: files.weights)
    let problems = try WeightsInspection(bytes: misnamed.serialized(), purpose: .encoder).problems
    #expect(problems.map(\.tensor) == [InputScales.prefix + "layers.7.ffn.0"])
  }
}
