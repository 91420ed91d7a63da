/// The weights of `ModalityFusion`, in float32, row-major, under the names a `.safetensors` file has:
///
/// | tensor | shape |
/// |---|---|
/// | `fusion.in_proj.weight` | [3C, C]: query, key and value rows, as torch.nn.MultiheadAttention packs them |
/// | `fusion.in_proj.bias` | [3C] |
/// | `fusion.out_proj.weight` | [C, C] |
/// | `fusion.out_proj.bias` | [C] |
/// | `fusion.modality_embedding` | [M, C], added to a token where it becomes a key |
/// | `fusion.query_embedding` | [C], added to the mean token where it becomes the query |
public struct FusionWeights: Sendable, Equatable {
  public var channels: Int
  public var heads: Int
  /// How many modalities have an embedding.
  public var modalities: Int
  public var inProjectionWeight: [Float]
  public var inProjectionBias: [Float]
  public var outProjectionWeight: [Float]
  public var outProjectionBias: [Float]
  public var modalityEmbedding: [Float]
  public var queryEmbedding: [Float]
  /// Whether these are the documented defaults; reports say so.
  public var isDefault: Bool

  /// Weights that make fusion a validity-weighted mean: query and key projections, biases and
  /// embeddings 0 (every valid modality gets the same attention), value and output projections the
  /// identity.
  ///
  /// - Precondition: `channels` is a positive multiple of `heads`; 1 ... 8 modalities.
  public static func `default`(channels: Int, heads: Int = 4, modalities: Int = 3) -> FusionWeights {
    let square = channels * channels
    var identity = [Float](repeating: 0, count: square)
    for channel in 0..<channels { identity[channel * channels + channel] = 1 }
    return FusionWeights(
      channels: channels, heads: heads, modalities: modalities,
      inProjectionWeight: [Float](repeating: 0, count: 2 * square) + identity,
      inProjectionBias: [Float](repeating: 0, count: 3 * channels),
      outProjectionWeight: identity, outProjectionBias: [Float](repeating: 0, count: channels),
      modalityEmbedding: [Float](repeating: 0, count: modalities * channels),
      queryEmbedding: [Float](repeating: 0, count: channels), isDefault: true)
  }

  init(
    channels: Int, heads: Int, modalities: Int, inProjectionWeight: [Float],
    inProjectionBias: [Float], outProjectionWeight: [Float], outProjectionBias: [Float],
    modalityEmbedding: [Float], queryEmbedding: [Float], isDefault: Bool
  ) {
    precondition(
      heads > 0 && channels > 0 && channels % heads == 0,
      "\(channels) channels do not divide into \(heads) heads")
    precondition(
      modalities >= 1 && modalities <= ModalityFusion.maximumModalities,
      "\(modalities) modalities, at most \(ModalityFusion.maximumModalities) fit")
    self.channels = channels
    self.heads = heads
    self.modalities = modalities
    self.inProjectionWeight = inProjectionWeight
    self.inProjectionBias = inProjectionBias
    self.outProjectionWeight = outProjectionWeight
    self.outProjectionBias = outProjectionBias
    self.modalityEmbedding = modalityEmbedding
    self.queryEmbedding = queryEmbedding
    self.isDefault = isDefault
  }

  /// The weights of a file. Tensors of other prefixes are left alone.
  ///
  /// - Parameters:
  ///   - file: its `fusion.` tensors must be exactly the documented six.
  ///   - channels: the channels of the maps to be fused.
  ///   - heads: attention heads; a divisor of `channels`.
  ///   - modalities: rows of the modality embedding.
  /// - Throws: `WeightsError` naming the tensor that is missing, unknown, of another shape or
  ///   type, or not finite.
  public init(
    _ file: SafeTensors, channels: Int, heads: Int = 4, modalities: Int = 3
  ) throws(WeightsError) {
    guard heads > 0, channels > 0, channels % heads == 0 else {
      throw WeightsError(
        tensor: "fusion.in_proj.weight", expected: "channels that divide into \(heads) heads",
        found: "\(channels) channels", remedy: "choose a number of heads that divides them")
    }
    let shapes = Self.shapes(channels: channels, modalities: modalities)
    let known = shapes.map(\.name)
    let extra = file.tensors.keys.filter { $0.hasPrefix("fusion.") && !known.contains($0) }.sorted()
    if let name = extra.first {
      throw WeightsError(
        tensor: name, expected: "one of \(known.joined(separator: ", "))",
        found: "an unknown tensor", remedy: "remove it or rename it")
    }
    var values: [[Float]] = []
    for (name, shape) in shapes {
      values.append(try WeightsReader(file).floats(name, shape: shape))
    }
    self.init(
      channels: channels, heads: heads, modalities: modalities, inProjectionWeight: values[0],
      inProjectionBias: values[1], outProjectionWeight: values[2], outProjectionBias: values[3],
      modalityEmbedding: values[4], queryEmbedding: values[5], isDefault: false)
  }

  /// The tensors as a file has them; `SafeTensors(tensors:).serialized()` writes them.
  public var tensors: [String: HostTensor] {
    let shapes = Self.shapes(channels: channels, modalities: modalities)
    let values = [
      inProjectionWeight, inProjectionBias, outProjectionWeight, outProjectionBias,
      modalityEmbedding, queryEmbedding,
    ]
    return Dictionary(
      uniqueKeysWithValues: zip(shapes, values).map { ($0.name, HostTensor($1, shape: $0.shape)) })
  }

  static func shapes(channels: Int, modalities: Int) -> [(name: String, shape: [Int])] {
    [
      ("fusion.in_proj.weight", [3 * channels, channels]),
      ("fusion.in_proj.bias", [3 * channels]),
      ("fusion.out_proj.weight", [channels, channels]),
      ("fusion.out_proj.bias", [channels]),
      ("fusion.modality_embedding", [modalities, channels]),
      ("fusion.query_embedding", [channels]),
    ]
  }
}
