import SwiftletKernels

/// `FusionWeights` in the order the kernels read them, made once at load.
///
/// Heads are padded to 16 channels with zero weights, so padded lanes stay 0. The scale 1/√d of the
/// logits is folded into the query projection.
@safe
final class PackedFusionWeights: @unchecked Sendable {
  /// Pointers to the eleven buffers, in `fuseCells`' order.
  @unsafe let table: AlignedBuffer<UnsafePointer<Float>?>
  /// `fusionAttendsEvenly` and `fusionKeepsValues`, found in the weights.
  let traits: Int
  private let buffers: [AlignedBuffer<Float>]

  init(_ weights: FusionWeights) {
    let layout = HeadLayout(channels: weights.channels, heads: weights.heads)
    let (c, square) = (weights.channels, weights.channels * weights.channels)
    let scale = 1 / Float(layout.width).squareRoot()
    let inWeight = weights.inProjectionWeight
    let inBias = weights.inProjectionBias
    let queryWeight = inWeight[0..<square].map { $0 * scale }
    let keyWeight = Array(inWeight[square..<2 * square])
    let valueWeight = Array(inWeight[2 * square..<3 * square])
    let direct = Self.direct(weights)
    traits = Self.traits(weights, direct)
    buffers = [
      packed(layout.paddedRows(queryWeight), outputs: layout.projected, inputs: c),
      AlignedBuffer(layout.paddedVector(inBias[0..<c].map { $0 * scale })),
      Self.foldedKeys(keyWeight, layout),
      AlignedBuffer(paddedRows(weights.modalityEmbedding, width: c)),
      AlignedBuffer(paddedRows(weights.queryEmbedding, width: c)),
      packed(layout.paddedRows(valueWeight), outputs: layout.projected, inputs: c),
      AlignedBuffer(layout.paddedVector(Array(inBias[2 * c..<3 * c]))),
      packed(
        layout.paddedColumns(weights.outProjectionWeight), outputs: c, inputs: layout.projected),
      AlignedBuffer(paddedRows(weights.outProjectionBias, width: c)),
      packed(direct.weight, outputs: c, inputs: c),
      AlignedBuffer(paddedRows(direct.bias, width: c)),
    ]
    unsafe table = AlignedBuffer(count: buffers.count)
    for (index, buffer) in buffers.enumerated() {
      unsafe table.pointer[index] = UnsafePointer(buffer.pointer)
    }
  }

  /// What a token of share 1 becomes: Wo Wv and Wo bv + bo, in float64, rounded once.
  private static func direct(_ weights: FusionWeights) -> (weight: [Float], bias: [Float]) {
    let c = weights.channels
    let value = weights.inProjectionWeight[2 * c * c..<3 * c * c].map(Double.init)
    let valueBias = weights.inProjectionBias[2 * c..<3 * c].map(Double.init)
    var weight: [Float] = []
    var bias: [Float] = []
    for row in 0..<c {
      let out = weights.outProjectionWeight[row * c..<(row + 1) * c].map(Double.init)
      var sums = [Double](repeating: 0, count: c)
      var offset = Double(weights.outProjectionBias[row])
      for k in 0..<c where out[k] != 0 {
        for column in 0..<c { sums[column] += out[k] * value[k * c + column] }
        offset += out[k] * valueBias[k]
      }
      weight += sums.map { Float($0) }
      bias.append(Float(offset))
    }
    return (weight, bias)
  }

  private static func traits(
    _ weights: FusionWeights, _ direct: (weight: [Float], bias: [Float])
  ) -> Int {
    let (c, square) = (weights.channels, weights.channels * weights.channels)
    let hasQueries =
      weights.inProjectionWeight[0..<square].contains { $0 != 0 }
      || weights.inProjectionBias[0..<c].contains { $0 != 0 }
    let hasKeys = weights.inProjectionWeight[square..<2 * square].contains { $0 != 0 }
    let isIdentity = direct.weight.indices.allSatisfy {
      direct.weight[$0] == ($0 / c == $0 % c ? 1 : 0)
    }
    let keepsValues = isIdentity && direct.bias.allSatisfy { $0 == 0 }
    return (hasQueries && hasKeys ? 0 : SwiftletKernels.fusionAttendsEvenly)
      | (keepsValues ? SwiftletKernels.fusionKeepsValues : 0)
  }

  /// Per head the key projection transposed: outputs are token channels, inputs head channels.
  private static func foldedKeys(_ weight: [Float], _ layout: HeadLayout) -> AlignedBuffer<Float> {
    let (c, d) = (layout.channels, layout.width)
    var all: [Float] = []
    for head in 0..<layout.heads {
      var transposed = [Float](repeating: 0, count: c * d)
      for channel in 0..<c {
        for j in 0..<d { transposed[channel * d + j] = weight[(head * d + j) * c + channel] }
      }
      all += packed(transposed, outputs: c, inputs: d).array
    }
    return AlignedBuffer(all)
  }
}

/// How the channels of several heads lie when every head is padded to whole vectors.
struct HeadLayout {
  var channels: Int
  var heads: Int
  var width: Int { channels / heads }
  var padded: Int { (width + 15) & ~15 }
  var projected: Int { heads * padded }

  /// Rows [channels][channels] to [projected][channels], zero rows between heads.
  func paddedRows(_ weight: [Float]) -> [Float] {
    let columns = weight.count / channels
    var result = [Float](repeating: 0, count: projected * columns)
    for row in 0..<channels {
      let target = row / width * padded + row % width
      for column in 0..<columns { result[target * columns + column] = weight[row * columns + column] }
    }
    return result
  }

  func paddedVector(_ vector: [Float]) -> [Float] {
    var result = [Float](repeating: 0, count: projected)
    for index in 0..<channels { result[index / width * padded + index % width] = vector[index] }
    return result
  }

  /// Columns [rows][channels] to [rows][projected].
  func paddedColumns(_ weight: [Float]) -> [Float] {
    let rows = weight.count / channels
    var result = [Float](repeating: 0, count: rows * projected)
    for row in 0..<rows {
      for column in 0..<channels {
        result[row * projected + column / width * padded + column % width] =
          weight[row * channels + column]
      }
    }
    return result
  }
}

/// Rows of `width` values, each padded with zeros to whole vectors.
func paddedRows(_ values: [Float], width: Int) -> [Float] {
  let padded = (width + 15) & ~15
  var result: [Float] = []
  for row in 0..<values.count / max(width, 1) {
    result += values[row * width..<(row + 1) * width]
    result += [Float](repeating: 0, count: padded - width)
  }
  return result
}
