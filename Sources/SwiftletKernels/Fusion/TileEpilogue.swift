import CVectorShims

/// Activation, residual and the last columns: from the tile in `scratch` (rows of 32) to `output`.
@inline(never)
func finishTile(
  _ scratch: UnsafePointer<Float>, _ rows: Int, _ columns: Int, _ activation: Int,
  _ residual: UnsafePointer<Float>?, _ residualStride: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let zero = SIMD16<Float>(repeating: 0)
  var row = 0
  while row < rows {
    var column = 0
    while column < columns {
      var value = swl_load_f32x16(scratch + row &* 32 + column)
      // NaN stays NaN.
      if activation == 1 { value = swl_max_f32x16(zero, value) }
      if activation == 2 { value = geluErf(value) }
      if activation == 3 { value = geluTanh(value) }
      let count = columns &- column
      if let residual {
        value = value + loadOr(residual + row &* residualStride + column, count, zero)
      }
      storeSome(output + row &* outputStride + column, value, count)
      column &+= 16
    }
    row &+= 1
  }
}
