#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The definition in float64, rounded once.
@unsafe func layerNormReference(
  _ input: UnsafePointer<Float>, width: Int, norm: NormPointers,
  into output: UnsafeMutablePointer<Float>
) {
  let row = (0..<width).map { unsafe Double(input[$0]) }
  let mean = row.reduce(0, +) / Double(width)
  let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
  let deviation = unsafe (variance + Double(norm.epsilon)).squareRoot()
  for index in 0..<width {
    let normal = (row[index] - mean) / deviation
    unsafe output[index] = Float(normal * Double(norm.weight[index]) + Double(norm.bias[index]))
  }
}

/// The definition in float64, rounded once; a row of -∞ alone gives 0.
@unsafe func softmaxReference(
  _ input: UnsafePointer<Float>, width: Int, into output: UnsafeMutablePointer<Float>
) {
  let row = (0..<width).map { unsafe Double(input[$0]) }
  let largest = row.max() ?? 0
  let exponentials = row.map { largest == -.infinity ? 0 : exp($0 - largest) }
  let sum = exponentials.reduce(0, +)
  for index in 0..<width { unsafe output[index] = sum == 0 ? 0 : Float(exponentials[index] / sum) }
}
