/// The four linear layers of a deformable attention, row-major as torch keeps them.
public struct DeformableWeights: Sendable {
  public var valueWeight: [Float]
  public var valueBias: [Float]
  /// Rows head, (queue,) level, point, (x, y); offsets in pixels of the level.
  public var offsetWeight: [Float]
  public var offsetBias: [Float]
  /// Rows head, (queue,) level, point; softmax over the samples of a head and queue.
  public var attentionWeight: [Float]
  public var attentionBias: [Float]
  public var outputWeight: [Float]
  public var outputBias: [Float]

  public init(
    valueWeight: [Float], valueBias: [Float], offsetWeight: [Float], offsetBias: [Float],
    attentionWeight: [Float], attentionBias: [Float], outputWeight: [Float], outputBias: [Float]
  ) {
    self.valueWeight = valueWeight
    self.valueBias = valueBias
    self.offsetWeight = offsetWeight
    self.offsetBias = offsetBias
    self.attentionWeight = attentionWeight
    self.attentionBias = attentionBias
    self.outputWeight = outputWeight
    self.outputBias = outputBias
  }

  /// The tensors `value_proj`, `sampling_offsets`, `attention_weights` and `output_proj` behind
  /// `prefix`, as mmcv names them.
  ///
  /// - Throws: `WeightsError` naming the tensor that does not fit.
  public init(
    _ file: SafeTensors, prefix: String, shape: DeformableShape
  ) throws(WeightsError) {
    let reader = WeightsReader(file, prefix: prefix)
    let (c, k) = (shape.channels, shape.projectionInputs)
    let rows = shape.queues * shape.samples * shape.heads
    valueWeight = try reader.floats("value_proj.weight", shape: [c, c])
    valueBias = try reader.floats("value_proj.bias", shape: [c])
    offsetWeight = try reader.floats("sampling_offsets.weight", shape: [2 * rows, k])
    offsetBias = try reader.floats("sampling_offsets.bias", shape: [2 * rows])
    attentionWeight = try reader.floats("attention_weights.weight", shape: [rows, k])
    attentionBias = try reader.floats("attention_weights.bias", shape: [rows])
    outputWeight = try reader.floats("output_proj.weight", shape: [c, c])
    outputBias = try reader.floats("output_proj.bias", shape: [c])
  }
}

/// The sizes of a deformable attention layer.
public struct DeformableShape: Sendable {
  public var channels: Int
  public var heads: Int
  public var levels: [FeatureLevel]
  public var points: Int
  /// Anchors per query; point p uses anchor p mod anchors. At most 16.
  public var anchors: Int
  /// Maps with offsets and weights of their own (temporal self attention: 2); 1 when all maps share
  /// them.
  public var queues: Int
  /// Value maps: cameras, or queues.
  public var maps: Int
  /// Width of what offsets and weights are projected from: C, or 2 C for temporal self attention.
  public var projectionInputs: Int
  public var queryCount: Int

  public init(
    channels: Int, heads: Int, levels: [FeatureLevel], points: Int, anchors: Int = 1,
    queues: Int = 1, maps: Int = 1, projectionInputs: Int? = nil, queryCount: Int
  ) {
    self.channels = channels
    self.heads = heads
    self.levels = levels
    self.points = points
    self.anchors = anchors
    self.queues = queues
    self.maps = maps
    self.projectionInputs = projectionInputs ?? channels
    self.queryCount = queryCount
  }

  /// Samples of a head in one map.
  public var samples: Int { levels.count * points }
  /// Tokens of one value map.
  public var tokenCount: Int {
    // No array on the way: this is asked in every frame.
    levels.reduce(0) { max($0, $1.firstToken + $1.height * $1.width) }
  }
}
