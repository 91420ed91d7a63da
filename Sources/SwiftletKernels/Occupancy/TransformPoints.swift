import CVectorShims

/// Points to world in float64, rounded once to float32: ((r0·x + r1·y) + r2·z) + t per axis.
///
/// `matrix` is [R | t], 12 doubles row-major. Reads float32 x, y, z at three byte offsets of records
/// `stride` bytes apart, writes three planes of `count` floats.
@inline(never)
public func transformPoints(
  _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ count: Int, _ matrix: UnsafePointer<Double>, _ worldX: UnsafeMutablePointer<Float>,
  _ worldY: UnsafeMutablePointer<Float>, _ worldZ: UnsafeMutablePointer<Float>
) {
  var index = 0
  let body = count & ~7
  while index < body {
    var x = SIMD8<Double>(repeating: 0)
    var y = x
    var z = x
    var lane = 0
    while lane < 8 {
      let record = base + (index &+ lane) &* stride
      x[lane] = Double(record.loadUnaligned(fromByteOffset: xOffset, as: Float.self))
      y[lane] = Double(record.loadUnaligned(fromByteOffset: yOffset, as: Float.self))
      z[lane] = Double(record.loadUnaligned(fromByteOffset: zOffset, as: Float.self))
      lane &+= 1
    }
    let ax = (x * matrix[0] + y * matrix[1]) + z * matrix[2]
    let ay = (x * matrix[4] + y * matrix[5]) + z * matrix[6]
    let az = (x * matrix[8] + y * matrix[9]) + z * matrix[10]
    swl_ray_store_f32x8(worldX + index, swl_ray_f32x8_from_f64x8(ax + matrix[3]))
    swl_ray_store_f32x8(worldY + index, swl_ray_f32x8_from_f64x8(ay + matrix[7]))
    swl_ray_store_f32x8(worldZ + index, swl_ray_f32x8_from_f64x8(az + matrix[11]))
    index &+= 8
  }
  while index < count {
    let record = base + index &* stride
    let x = Double(record.loadUnaligned(fromByteOffset: xOffset, as: Float.self))
    let y = Double(record.loadUnaligned(fromByteOffset: yOffset, as: Float.self))
    let z = Double(record.loadUnaligned(fromByteOffset: zOffset, as: Float.self))
    worldX[index] = Float((x * matrix[0] + y * matrix[1]) + z * matrix[2] + matrix[3])
    worldY[index] = Float((x * matrix[4] + y * matrix[5]) + z * matrix[6] + matrix[7])
    worldZ[index] = Float((x * matrix[8] + y * matrix[9]) + z * matrix[10] + matrix[11])
    index &+= 1
  }
}
