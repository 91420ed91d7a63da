/// Depths at which image features are placed: z along the optical axis, not along the ray.
public struct DepthBins: Sendable, Equatable {
  /// The lower edge of each bin, metres.
  public var values: [Float]

  public init(values: [Float]) {
    precondition(!values.isEmpty, "0 depth bins; at least 1 is needed")
    self.values = values
  }
  /// d_k = lower + k step for k < ceil((upper - lower) / step).
  public static func uniform(
    lower: Double, upper: Double, step: Double, engine: Engine = .reference
  ) -> DepthBins {
    // The small margin keeps quotients such as 40.000000000000004 from opening one bin more.
    let count = max(Int(((upper - lower) / step - 1e-9).rounded(.up)), 1)
    return DepthBins(
      values: arithmeticSeries(first: lower, step: step, count: count, engine: engine))
  }
  /// Spacing-increasing depths (FlashOcc): d_k = lower ((upper - 1) / lower)^(k / (count - 1)).
  public static func spacingIncreasing(lower: Double, upper: Double, count: Int) -> DepthBins {
    let last = Double(max(count - 1, 1))
    return DepthBins(
      values: (0..<max(count, 1)).map {
        Float(lower * power((upper - 1) / lower, Double($0) / last))
      })
  }
  public var count: Int { values.count }
}

/// Pixel positions of feature rows and columns.
public enum FrustumTemplate {
  /// u_j = j (image - 1) / (count - 1): the first sample at pixel 0, the last at the last pixel. A
  /// single sample lies at 0.
  public static func endpointAligned(
    imageSize: Int, count: Int, engine: Engine = .reference
  ) -> [Float] {
    arithmeticSeries(
      first: 0, step: step(imageSize: imageSize, count: count), count: count, engine: engine)
  }

  /// Pixels between neighbouring samples; 0 for a single sample.
  static func step(imageSize: Int, count: Int) -> Double {
    count > 1 ? Double(imageSize - 1) / Double(count - 1) : 0
  }
}

/// first + i · step in float64, rounded once; allocates its result.
private func arithmeticSeries(
  first: Double, step: Double, count: Int, engine: Engine
) -> [Float] {
  switch engine {
  case .reference: return (0..<count).map { Float(first + Double($0) * step) }
  case .simd(let set):
    return unsafe filled(count) { output in
      unsafe ProjectionKernels.arithmeticSeries(set, first, step, count, output)
    }
  }
}
