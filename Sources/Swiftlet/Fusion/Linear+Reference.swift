/// y = W x + b for one row: each sum starts from the bias and runs over the inputs in order.
func linearReference(_ input: [Float], weight: [Float], bias: [Float]) -> [Float] {
  bias.indices.map { output in
    var sum = bias[output]
    for k in input.indices { sum += input[k] * weight[output * input.count + k] }
    return sum
  }
}

extension LinearJob {
  /// activation(x Wᵀ + b) + residual, row by row.
  func multiplyReference(_ range: Range<Int>) {
    for row in range {
      let source = unsafe UnsafeBufferPointer(start: input + row * inputStride, count: inputs)
      let (x, scale) = unsafe inputReference(source)
      for column in unsafe 0..<outputs {
        let sum = unsafe sumReference(x, scale, column)
        var value = unsafe activateReference(sum, activation)
        if let residual = unsafe residual {
          unsafe value += residual[row * residualStride + column]
        }
        unsafe output[row * outputStride + column] = value
      }
    }
  }

  /// A row as it is multiplied, and its scale (int8).
  private func inputReference(_ row: UnsafeBufferPointer<Float>) -> ([Float], Float) {
    switch unsafe weights.precision {
    case .fp32, .fp16: return unsafe (Array(row), 1)
    case .bf16:
      return unsafe (row.map { Narrowing.bfloat.value(Narrowing.bfloat.denseBits($0)) }, 1)
    case .int8:
      let largest = unsafe row.reduce(Float(0)) { max($0, abs($1)) }
      let scale = unsafe inputScale > 0 ? inputScale : (largest > 0 ? largest / 127 : 1)
      return unsafe (row.map { quantizedReference($0, scale: scale) }, scale)
    }
  }

  private func sumReference(_ x: [Float], _ scale: Float, _ column: Int) -> Float {
    let w = unsafe weights.rows + column * inputs
    switch unsafe weights.precision {
    case .fp32, .fp16:
      var sum = unsafe bias[column]
      for k in x.indices { unsafe sum += x[k] * w[k] }
      return sum
    case .bf16:
      // The products are exact; of each pair the second joins first.
      var sum = unsafe bias[column]
      for k in stride(from: 0, to: x.count, by: 2) {
        if k + 1 < x.count { unsafe sum += x[k + 1] * w[k + 1] }
        unsafe sum += x[k] * w[k]
      }
      return sum
    case .int8:
      var sum: Int32 = 0
      for k in x.indices { unsafe sum += Int32(x[k]) * Int32(w[k]) }
      return unsafe Float(sum) * (weights.scales[column] * scale) + bias[column]
    }
  }
}

/// clamp(round half even(x / scale), -128, 127); NaN gives -128, as the SIMD clamp does.
func quantizedReference(_ value: Float, scale: Float) -> Float {
  let ratio = (value / scale).rounded(.toNearestOrEven)
  return ratio > -128 ? min(ratio, 127) : -128
}
