/// Brings points of one cloud into the key ego frame: float64 product, rounded once to float32.
/// Points inside the ego-body box and points that are not finite become NaN, so that every point
/// keeps its place and parts need not agree on an order.
///
/// Scalar: one pass over memory that the float64 product (9 multiplications a point) keeps busy;
/// the same bits in every build because nothing is fused.
///
/// - Parameters:
///   - offsets: byte offsets of x, y, z and intensity; a negative intensity offset writes 0.
///   - egoFromLidar: rows of [R t], 12 values.
///   - box: lower x y z, upper x y z of the vehicle's body.
///   - output: [point][x y z intensity] from record `begin` on.
@inline(never)
public func transformToEgo(
  _ base: UnsafeRawPointer, _ byteStride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ intensityOffset: Int, _ begin: Int, _ end: Int, _ egoFromLidar: UnsafePointer<Double>,
  _ box: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>
) {
  let m = egoFromLidar
  var index = begin
  while index < end {
    let record = base + index &* byteStride
    let x = Double(record.loadUnaligned(fromByteOffset: xOffset, as: Float.self))
    let y = Double(record.loadUnaligned(fromByteOffset: yOffset, as: Float.self))
    let z = Double(record.loadUnaligned(fromByteOffset: zOffset, as: Float.self))
    var ex = Float(m[0] * x + m[1] * y + m[2] * z + m[3])
    let ey = Float(m[4] * x + m[5] * y + m[6] * z + m[7])
    let ez = Float(m[8] * x + m[9] * y + m[10] * z + m[11])
    let isBody =
      ex >= box[0] && ey >= box[1] && ez >= box[2] && ex <= box[3] && ey <= box[4] && ez <= box[5]
    if isBody || !(ex + ey + ez).isFinite { ex = .nan }
    let out = output + index &* 4
    out[0] = ex
    out[1] = ey
    out[2] = ez
    out[3] =
      intensityOffset < 0
      ? 0 : record.loadUnaligned(fromByteOffset: intensityOffset, as: Float.self)
    index &+= 1
  }
}
