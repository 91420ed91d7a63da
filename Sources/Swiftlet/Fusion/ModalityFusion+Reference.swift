#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ModalityFusion {
  /// The definition, cell by cell, in the order of the class's description.
  func fuseReference(
    features: UnsafePointer<UnsafePointer<Float>?>,
    validities: UnsafePointer<UnsafePointer<UInt8>?>, into output: UnsafeMutablePointer<Float>,
    validity: UnsafeMutablePointer<UInt8>
  ) {
    let c = weights.channels
    for cell in 0..<cellCount {
      var tokens: [(modality: Int, values: [Float])] = []
      for modality in 0..<weights.modalities {
        guard let map = unsafe features[modality] else { continue }
        if let valid = unsafe validities[modality], unsafe valid[cell] == 0 { continue }
        tokens.append((modality, (0..<c).map { unsafe map[cell * c + $0] }))
      }
      let fused = tokens.isEmpty ? [Float](repeating: 0, count: c) : fuseTokens(tokens)
      for channel in 0..<c { unsafe output[cell * c + channel] = fused[channel] }
      unsafe validity[cell] = tokens.isEmpty ? 0 : 1
    }
  }

  private func fuseTokens(_ tokens: [(modality: Int, values: [Float])]) -> [Float] {
    let c = weights.channels
    let d = c / weights.heads
    var query = weights.queryEmbedding
    for channel in 0..<c {
      let sum = tokens.reduce(Float(0)) { $0 + $1.values[channel] }
      query[channel] += sum / Float(tokens.count)
    }
    let q = project(query, rowBlock: 0)
    let keys = tokens.map { token in
      project((0..<c).map { token.values[$0] + embedding(token.modality, $0) }, rowBlock: 1)
    }
    let values = tokens.map { project($0.values, rowBlock: 2) }
    var heads = [Float](repeating: 0, count: c)
    for head in 0..<weights.heads {
      let range = head * d..<(head + 1) * d
      let logits = keys.map { key in
        range.reduce(Float(0)) { $0 + q[$1] * key[$1] } / Float(d).squareRoot()
      }
      let largest = logits.max() ?? 0
      let exponentials = logits.map { exp($0 - largest) }
      let sum = exponentials.reduce(0, +)
      for channel in range {
        heads[channel] = zip(exponentials, values).reduce(Float(0)) { $0 + $1.0 * $1.1[channel] } / sum
      }
    }
    return linearReference(
      heads, weight: weights.outProjectionWeight, bias: weights.outProjectionBias)
  }

  private func embedding(_ modality: Int, _ channel: Int) -> Float {
    weights.modalityEmbedding[modality * weights.channels + channel]
  }

  /// Rows `rowBlock` · C ... of the packed input projection: 0 query, 1 key, 2 value.
  private func project(_ input: [Float], rowBlock: Int) -> [Float] {
    let c = weights.channels
    return linearReference(
      input, weight: Array(weights.inProjectionWeight[rowBlock * c * c..<(rowBlock + 1) * c * c]),
      bias: Array(weights.inProjectionBias[rowBlock * c..<(rowBlock + 1) * c]))
  }
}
