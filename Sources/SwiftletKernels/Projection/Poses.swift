import CVectorShims

// Poses in float64. A pose is [R t; 0 1], 16 values row-major; quaternions are w x y z.

/// Rotation matrices of `count` unit quaternions, nine values row-major each.
@inline(never)
public func quaternionMatrices(
  _ quaternions: UnsafePointer<Double>, _ count: Int, _ matrices: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let q = quaternions + 4 &* index
    let w = strided(q, 4, lanes)
    let x = strided(q + 1, 4, lanes)
    let y = strided(q + 2, 4, lanes)
    let z = strided(q + 3, 4, lanes)
    let m = matrices + 9 &* index
    storeStrided(1 - 2 * (y * y + z * z), m, 9, lanes)
    storeStrided(2 * (x * y - w * z), m + 1, 9, lanes)
    storeStrided(2 * (x * z + w * y), m + 2, 9, lanes)
    storeStrided(2 * (x * y + w * z), m + 3, 9, lanes)
    storeStrided(1 - 2 * (x * x + z * z), m + 4, 9, lanes)
    storeStrided(2 * (y * z - w * x), m + 5, 9, lanes)
    storeStrided(2 * (x * z - w * y), m + 6, 9, lanes)
    storeStrided(2 * (y * z + w * x), m + 7, 9, lanes)
    storeStrided(1 - 2 * (x * x + y * y), m + 8, 9, lanes)
    index &+= 8
  }
}

/// [R t; 0 1] from nine and three values each.
@inline(never)
public func assemblePoses(
  _ rotations: UnsafePointer<Double>, _ translations: UnsafePointer<Double>, _ count: Int,
  _ poses: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count {
    let r = rotations + 9 &* index
    let t = translations + 3 &* index
    let pose = poses + 16 &* index
    swl_store_f64x4(pose, SIMD4(r[0], r[1], r[2], t[0]))
    swl_store_f64x4(pose + 4, SIMD4(r[3], r[4], r[5], t[1]))
    swl_store_f64x4(pose + 8, SIMD4(r[6], r[7], r[8], t[2]))
    swl_store_f64x4(pose + 12, SIMD4(0, 0, 0, 1))
    index &+= 1
  }
}

/// Products A B. The poses of A lie `strideA` doubles apart: 0 multiplies all of B by one pose.
@inline(never)
public func composePoses(
  _ a: UnsafePointer<Double>, _ strideA: Int, _ b: UnsafePointer<Double>, _ count: Int,
  _ products: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count {
    let left = a + index &* strideA
    let right = b + 16 &* index
    let row0 = swl_load_f64x4(right)
    let row1 = swl_load_f64x4(right + 4)
    let row2 = swl_load_f64x4(right + 8)
    let row3 = swl_load_f64x4(right + 12)
    var row = 0
    while row < 4 {
      let weights = left + 4 &* row
      let near = row0 * weights[0] + row1 * weights[1] + row2 * weights[2]
      swl_store_f64x4(products + 16 &* index + 4 &* row, near + row3 * weights[3])
      row &+= 1
    }
    index &+= 1
  }
}

/// [Rᵀ, -Rᵀ t], exact for a rotation.
@inline(never)
public func invertPoses(
  _ poses: UnsafePointer<Double>, _ count: Int, _ inverses: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count {
    let p = poses + 16 &* index
    let inverse = inverses + 16 &* index
    let row0 = SIMD4<Double>(p[0], p[1], p[2], 0)
    let row1 = SIMD4<Double>(p[4], p[5], p[6], 0)
    let row2 = SIMD4<Double>(p[8], p[9], p[10], 0)
    let back = row0 * p[3] + row1 * p[7] + row2 * p[11]
    swl_store_f64x4(inverse, SIMD4(p[0], p[4], p[8], -back[0]))
    swl_store_f64x4(inverse + 4, SIMD4(p[1], p[5], p[9], -back[1]))
    swl_store_f64x4(inverse + 8, SIMD4(p[2], p[6], p[10], -back[2]))
    swl_store_f64x4(inverse + 12, SIMD4(0, 0, 0, 1))
    index &+= 1
  }
}

/// The sign that makes the first non-zero component of (w, x, y, z) positive.
@inline(__always)
private func canonicalSign(
  _ w: SIMD8<Double>, _ x: SIMD8<Double>, _ y: SIMD8<Double>, _ z: SIMD8<Double>
) -> SIMD8<Double> {
  let zero = SIMD8<Double>(repeating: 0)
  var lead = swl_select_f64x8(swl_less_f64x8(zero, swl_abs_f64x8(y)), y, z)
  lead = swl_select_f64x8(swl_less_f64x8(zero, swl_abs_f64x8(x)), x, lead)
  lead = swl_select_f64x8(swl_less_f64x8(zero, swl_abs_f64x8(w)), w, lead)
  return swl_select_f64x8(
    swl_less_f64x8(lead, zero), SIMD8(repeating: -1), SIMD8(repeating: 1))
}

/// Quaternion products a b, their first non-zero component positive.
@inline(never)
public func multiplyQuaternions(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int,
  _ products: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let p = a + 4 &* index
    let q = b + 4 &* index
    let aw = strided(p, 4, lanes)
    let ax = strided(p + 1, 4, lanes)
    let ay = strided(p + 2, 4, lanes)
    let az = strided(p + 3, 4, lanes)
    let bw = strided(q, 4, lanes)
    let bx = strided(q + 1, 4, lanes)
    let by = strided(q + 2, 4, lanes)
    let bz = strided(q + 3, 4, lanes)
    let w = aw * bw - ax * bx - ay * by - az * bz
    let x = aw * bx + ax * bw + ay * bz - az * by
    let y = aw * by - ax * bz + ay * bw + az * bx
    let z = aw * bz + ax * by - ay * bx + az * bw
    let sign = canonicalSign(w, x, y, z)
    let out = products + 4 &* index
    storeStrided(w * sign, out, 4, lanes)
    storeStrided(x * sign, out + 1, 4, lanes)
    storeStrided(y * sign, out + 2, 4, lanes)
    storeStrided(z * sign, out + 3, 4, lanes)
    index &+= 8
  }
}

/// Slerp along the shorter arc, first non-zero component positive; `fractions` may leave 0...1.
///
/// The angle is 2 atan2(|a - b|, |a + b|), which keeps its digits for nearly equal rotations where
/// the arc cosine of the dot product loses half of them.
@inline(never)
public func slerpQuaternions(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ fractions: UnsafePointer<Double>,
  _ count: Int, _ results: UnsafeMutablePointer<Double>
) {
  let one = SIMD8<Double>(repeating: 1)
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let p = a + 4 &* index
    let q = b + 4 &* index
    let aw = strided(p, 4, lanes)
    let ax = strided(p + 1, 4, lanes)
    let ay = strided(p + 2, 4, lanes)
    let az = strided(p + 3, 4, lanes)
    var bw = strided(q, 4, lanes)
    var bx = strided(q + 1, 4, lanes)
    var by = strided(q + 2, 4, lanes)
    var bz = strided(q + 3, 4, lanes)
    let dot = aw * bw + ax * bx + ay * by + az * bz
    let flip = swl_select_f64x8(swl_less_f64x8(dot, SIMD8(repeating: 0)), -one, one)
    bw = bw * flip
    bx = bx * flip
    by = by * flip
    bz = bz * flip
    let between = length(aw - bw, ax - bx, ay - by, az - bz)
    let around = length(aw + bw, ax + bx, ay + by, az + bz)
    let angle = 2 * arcTangent(between, around)
    let fraction = strided(fractions + index, 1, lanes)
    let isSmall = swl_less_f64x8(angle, SIMD8(repeating: 1e-7))
    let divisor = swl_select_f64x8(isSmall, one, sine(angle))
    let fromA = swl_select_f64x8(isSmall, 1 - fraction, sine((1 - fraction) * angle) / divisor)
    let fromB = swl_select_f64x8(isSmall, fraction, sine(fraction * angle) / divisor)
    let w = aw * fromA + bw * fromB
    let x = ax * fromA + bx * fromB
    let y = ay * fromA + by * fromB
    let z = az * fromA + bz * fromB
    let scale = canonicalSign(w, x, y, z) / length(w, x, y, z)
    let out = results + 4 &* index
    storeStrided(w * scale, out, 4, lanes)
    storeStrided(x * scale, out + 1, 4, lanes)
    storeStrided(y * scale, out + 2, 4, lanes)
    storeStrided(z * scale, out + 3, 4, lanes)
    index &+= 8
  }
}

@inline(__always)
private func length(
  _ w: SIMD8<Double>, _ x: SIMD8<Double>, _ y: SIMD8<Double>, _ z: SIMD8<Double>
) -> SIMD8<Double> {
  swl_sqrt_f64x8(w * w + x * x + y * y + z * z)
}

/// a + (b - a) · fraction for `width` values per item.
@inline(never)
public func interpolateLinearly(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ fractions: UnsafePointer<Double>,
  _ count: Int, _ width: Int, _ results: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count &* width {
    let fraction = fractions[index / width]
    results[index] = a[index] + (b[index] - a[index]) * fraction
    index &+= 1
  }
}

/// Float64 rounded once to float32.
@inline(never)
public func narrow(
  _ values: UnsafePointer<Double>, _ count: Int, _ results: UnsafeMutablePointer<Float>
) {
  var index = 0
  while index &+ 8 <= count {
    swl_store_narrowed_f64x8(results + index, swl_load_f64x8(values + index))
    index &+= 8
  }
  while index < count {
    results[index] = Float(values[index])
    index &+= 1
  }
}
