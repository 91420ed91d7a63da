import Foundation
import Swiftlet

/// What a weights file holds and whether it fits what it is meant for.
public struct WeightsInspection: Sendable {
  /// What the tensors are compared with.
  public enum Purpose: Sendable, Equatable {
    /// A pipeline of this configuration.
    case pipeline(PipelineConfiguration)
    /// An encoder of BEVFormer's kind; sizes come from the file's own layer 0.
    case encoder
  }

  /// One tensor of the file.
  public struct Row: Sendable, Equatable {
    public var name: String
    /// Its name in a file of ours; nil for one that nothing here reads.
    public var ours: String?
    public var type: String
    public var shape: [Int]
    /// Of the finite values; nil without any, and for types that are no weights.
    public var range: ClosedRange<Float>?
    public var notFiniteCount: Int
  }

  public var rows: [Row]
  public var problems: [WeightsError]
  /// One line: the sizes that were found.
  public var summary: String
  public var metadata: [String: String]

  /// - Throws: `WeightsError` for bytes that are no `.safetensors` file, or an encoder whose sizes
  ///   cannot be told.
  public init(bytes: [UInt8], purpose: Purpose?) throws(WeightsError) {
    let file = try SafeTensors(bytes: bytes)
    metadata = file.metadata
    rows = file.tensors.keys.sorted().map { Self.row($0, file.tensors[$0]!) }
    switch purpose ?? Self.guess(file) {
    case .pipeline(let configuration):
      let modalities = file.tensors["fusion.modality_embedding"]?.shape.first ?? 0
      problems = WeightsLayout.pipeline(
        configuration, modalities: min(max(modalities, 3), ModalityFusion.maximumModalities)
      ).problems(of: file)
      summary =
        "pipeline weights for \(configuration.channelCount) channels, "
        + "\(configuration.fusion.headCount) heads, \(modalities) modalities"
    case .encoder:
      let shape = try EncoderWeightsShape(file)
      let converted = try PublicWeightNames.convert(file)
      problems = shape.layout.problems(of: converted.file)
      summary =
        "encoder of \(shape.layers) layers, \(shape.channels) channels, \(shape.hidden) hidden, "
        + "\(shape.spatialSamples) spatial and \(shape.temporalSamples) temporal samples a query; "
        + "\(converted.dropped.count) tensors belong to something else"
    }
  }

  /// A file with `fusion.` tensors is a pipeline's; anything else should be an encoder.
  private static func guess(_ file: SafeTensors) -> Purpose {
    let isPipeline = file.tensors.keys.contains { $0.hasPrefix("fusion.") }
    guard isPipeline || file.tensors.isEmpty else { return .encoder }
    var configuration = PipelineConfiguration()
    if let channels = file.tensors["fusion.query_embedding"]?.shape.first,
      (32...512).contains(channels)
    {
      configuration.channelCount = channels
    }
    return .pipeline(configuration)
  }

  private static func row(_ name: String, _ tensor: HostTensor) -> Row {
    let values = tensor.floats() ?? []
    let finite = values.filter(\.isFinite)
    let range = finite.min().flatMap { low in finite.max().map { low...$0 } }
    let isOwn = ["fusion.", "neighbors.", "heads.", "experts."].contains(where: name.hasPrefix)
    return Row(
      name: name, ours: isOwn ? name : PublicWeightNames.ours(name),
      type: tensor.elementType.rawValue, shape: tensor.shape, range: range,
      notFiniteCount: values.count - finite.count)
  }

  /// The table that `swiftlet weights` prints.
  public var table: String {
    let header = ["tensor", "goes to", "type", "shape", "least", "largest"]
    let lines = rows.map { row in
      [
        row.name, row.ours.map { $0 == row.name ? "itself" : $0 } ?? "nothing here", row.type,
        "[" + row.shape.map(String.init).joined(separator: ", ") + "]",
        row.range.map { Self.text($0.lowerBound) } ?? "–",
        row.range.map { Self.text($0.upperBound) } ?? "–",
      ]
    }
    let verdict =
      problems.isEmpty
      ? ["fits: \(summary)"]
      : problems.map(\.description) + ["\(problems.count) problems: \(summary)"]
    return (ColumnLayout.lines([header] + lines) + [""] + verdict).joined(separator: "\n")
  }

  private static func text(_ value: Float) -> String { String(format: "%.4g", value) }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1), "fits": .bool(problems.isEmpty), "summary": .string(summary),
      "metadata": .object(metadata.mapValues(JSONValue.string)),
      "problems": .array(
        problems.map {
          .object([
            "tensor": .string($0.tensor), "expected": .string($0.expected),
            "found": .string($0.found), "remedy": .string($0.remedy),
          ])
        }),
      "tensors": .array(
        rows.map { row in
          .object([
            "name": .string(row.name), "ours": row.ours.map(JSONValue.string) ?? .null,
            "dtype": .string(row.type),
            "shape": .array(row.shape.map { .integer(Int64($0)) }),
            "least": row.range.map { .number(Double($0.lowerBound)) } ?? .null,
            "largest": row.range.map { .number(Double($0.upperBound)) } ?? .null,
            "not_finite": .integer(Int64(row.notFiniteCount)),
          ])
        }),
    ])
  }
}
