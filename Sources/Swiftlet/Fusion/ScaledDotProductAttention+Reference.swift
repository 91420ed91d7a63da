#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension AttentionJob {
  /// softmax(scale · q kᵀ + mask) v, query by query, in float64, rounded once.
  func runReference() {
    for head in unsafe 0..<heads {
      for query in unsafe 0..<queryCount { unsafe attendReference(head, query) }
    }
  }

  private func attendReference(_ head: Int, _ query: Int) {
    let q = unsafe queries.base + head * queries.headStride + query * queries.rowStride
    let logits = unsafe (0..<keyCount).map { key -> Double in
      if let excluded = unsafe mask.excluded,
        unsafe excluded[query * mask.excludedStride + key] != 0
      {
        return -.infinity
      }
      let k = unsafe keys.base + head * keys.headStride + key * keys.rowStride
      var product = 0.0
      for channel in unsafe 0..<keyWidth { unsafe product += Double(q[channel]) * Double(k[channel]) }
      let additive = unsafe mask.additive.map { unsafe Double($0[query * mask.additiveStride + key]) }
      return unsafe Double(scale) * product + (additive ?? 0)
    }
    let largest = logits.max() ?? -.infinity
    let weights = logits.map { largest == -.infinity ? 0 : exp($0 - largest) }
    let sum = weights.reduce(0, +)
    let target = unsafe output.base + head * output.headStride + query * output.rowStride
    for channel in unsafe 0..<valueWidth {
      var total = 0.0
      for key in unsafe 0..<keyCount where weights[key] != 0 {
        let v = unsafe values.base[head * values.headStride + key * values.rowStride + channel]
        total += weights[key] * Double(v)
      }
      unsafe target[channel] = sum == 0 ? 0 : Float(total / sum)
    }
  }
}
