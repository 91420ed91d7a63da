import Foundation
import Swiftlet

/// Runs an encoder's weights, under public names or ours, on recorded inputs and compares the result
/// with what another implementation made of them.
///
/// The case is a `.safetensors` file as the golden cases of `bevformer_encoder` are, without
/// parameters: `in.bev_query`, `in.pos`, `in.prev_bev`, `in.shift`, `in.feat`, `in.lidar2img`,
/// `in.anchor_z`, `in.pc_range`, `in.image_hw`, `in.spatial_shapes`, `out.with_history`,
/// `out.no_history`, and sizes in the metadata's `attributes`. `Benchmarks/scripts/encoder_case.py`
/// writes one.
public struct EncoderCase: Sendable {
  /// One compared result.
  public struct Comparison: Sendable {
    public var name: String
    public var largestDifference: Double
    public var largestExpected: Double
    /// ‖got − expected‖ / ‖expected‖.
    public var relativeError: Double
  }

  private let golden: GoldenCase
  /// Precision of the dense layers.
  public var precision = DensePrecision.fp32
  /// Input scales for int8: those of the weights file unless set; nil for one per row.
  public var inputScales: [String: Float]?

  /// - Throws: `WeightsError` for files that cannot be read, `GoldenError` for a case that is none.
  public init(weights: SafeTensors, inputs: SafeTensors) throws {
    guard let text = inputs.metadata["attributes"] else {
      throw GoldenError.malformed("the case has no attributes in its metadata")
    }
    var tensors = inputs.tensors
    inputScales = try InputScales.read(weights)
    for (name, tensor) in try PublicWeightNames.convert(weights).file.tensors {
      guard let target = Self.parameter(name) else { continue }
      tensors[target] = tensor
    }
    golden = GoldenCase(
      name: inputs.metadata["case"] ?? "encoder", operation: "bevformer_encoder",
      attributes: try JSONReader.parse(Array(text.utf8)), tensors: tensors)
  }

  /// `param.layer1.sca.value_proj.weight` for `encoder.layers.1.spatial.value_proj.weight`.
  private static func parameter(_ name: String) -> String? {
    guard name.hasPrefix("encoder.layers.") else { return nil }
    let rest = name.dropFirst("encoder.layers.".count)
    let layer = rest.prefix { $0 != "." }
    let part = rest.dropFirst(layer.count + 1)
    for (ours, theirs) in [("temporal.", "tsa."), ("spatial.", "sca.")] where part.hasPrefix(ours) {
      return "param.layer\(layer).\(theirs)\(part.dropFirst(ours.count))"
    }
    return "param.layer\(layer).\(part)"
  }

  public func run(engine: Engine, pool: WorkerPool) throws -> [Comparison] {
    guard let runner = GoldenAttention.runners[golden.operation] else {
      throw GoldenError.unsupported(golden.operation)
    }
    var context = VerifyContext(engine: engine, pool: pool)
    context.precision = precision
    context.inputScales = precision == .int8 ? inputScales : nil
    let results = try runner(golden, context)
    return try ["out.with_history", "out.no_history"].filter(golden.has).map { name in
      guard case .float32(let got)? = results[name] else {
        throw GoldenError.unsupported(name)
      }
      return try Self.compare(name, got, try golden.floats(name))
    }
  }

  private static func compare(
    _ name: String, _ got: [Float], _ expected: [Float]
  ) throws -> Comparison {
    guard got.count == expected.count else {
      throw GoldenError.malformed("\(name): \(expected.count) values expected, \(got.count) made")
    }
    var (error, norm, worst, largest) = (0.0, 0.0, 0.0, 0.0)
    for (a, b) in zip(got, expected) {
      let difference = abs(Double(a) - Double(b))
      error += difference * difference
      norm += Double(b) * Double(b)
      worst = difference.isNaN ? .infinity : max(worst, difference)
      largest = max(largest, abs(Double(b)))
    }
    return Comparison(
      name: String(name.dropFirst(4)), largestDifference: worst, largestExpected: largest,
      relativeError: (error / max(norm, 1e-300)).squareRoot())
  }
}
