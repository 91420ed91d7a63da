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
      for column in unsafe 0..<outputs {
        var sum = unsafe bias[column]
        for k in unsafe 0..<inputs {
          unsafe sum += input[row * inputStride + k] * weight[column * inputs + k]
        }
        var value = unsafe activateReference(sum, activation)
        if let residual = unsafe residual {
          unsafe value += residual[row * residualStride + column]
        }
        unsafe output[row * outputStride + column] = value
      }
    }
  }
}
