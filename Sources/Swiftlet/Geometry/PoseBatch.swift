/// Many poses at once, in float64, by the scalar types or by the kernels of an instruction set. For
/// setup and tools: results are arrays made per call.
///
/// Quaternions are w x y z, translations x y z, poses [R t; 0 1] row-major: 4, 3 and 16 values
/// each.
public enum PoseBatch {
  /// Rotation matrices of unit quaternions, nine values each.
  public static func matrices(quaternions: [Double], engine: Engine) -> [Double] {
    let count = itemCount(quaternions, 4)
    switch engine {
    case .reference: return items(quaternions, 4).flatMap { quaternion($0).matrix.rowMajor }
    case .simd(let set):
      return unsafe filled(9 * count) { output in
        unsafe ProjectionKernels.quaternionMatrices(set, quaternions, count, output)
      }
    }
  }

  /// Poses from quaternions and translations.
  public static func poses(
    quaternions: [Double], translations: [Double], engine: Engine
  ) -> [Double] {
    let count = itemCount(quaternions, 4)
    precondition(
      translations.count == 3 * count, "\(translations.count) translation values for \(count) poses")
    switch engine {
    case .reference:
      return zip(items(quaternions, 4), items(translations, 3)).flatMap { rotation, translation in
        RigidTransform(
          rotation: quaternion(rotation), translation: vector(translation)
        ).rowMajor4x4
      }
    case .simd(let set):
      let rotations = matrices(quaternions: quaternions, engine: engine)
      return unsafe filled(16 * count) { output in
        unsafe ProjectionKernels.assemblePoses(set, rotations, translations, count, output)
      }
    }
  }

  /// Products a · b; a single pose in `a` multiplies all of `b`.
  public static func composed(_ a: [Double], _ b: [Double], engine: Engine) -> [Double] {
    let count = itemCount(b, 16)
    precondition(
      a.count == b.count || a.count == 16, "\(a.count / 16) poses cannot multiply \(count)")
    let stride = a.count == b.count ? 16 : 0
    switch engine {
    case .reference:
      return (0..<count).flatMap { index in
        let left = a[(index * stride)..<(index * stride + 16)]
        return (pose(left) * pose(b[(16 * index)..<(16 * index + 16)])).rowMajor4x4
      }
    case .simd(let set):
      return unsafe filled(16 * count) { output in
        unsafe ProjectionKernels.composePoses(set, a, stride, b, count, output)
      }
    }
  }

  /// Inverses [Rᵀ, -Rᵀ t].
  public static func inverted(_ poses: [Double], engine: Engine) -> [Double] {
    switch engine {
    case .reference: return items(poses, 16).flatMap { pose($0).inverse.rowMajor4x4 }
    case .simd(let set):
      let count = itemCount(poses, 16)
      return unsafe filled(16 * count) { output in
        unsafe ProjectionKernels.invertPoses(set, poses, count, output)
      }
    }
  }

  /// Quaternion products a b with their first non-zero component positive.
  public static func products(_ a: [Double], _ b: [Double], engine: Engine) -> [Double] {
    precondition(a.count == b.count, "\(a.count) and \(b.count) quaternion values")
    switch engine {
    case .reference:
      return zip(items(a, 4), items(b, 4)).flatMap {
        values((quaternion($0) * quaternion($1)).canonical)
      }
    case .simd(let set):
      let count = itemCount(a, 4)
      return unsafe filled(4 * count) { output in
        unsafe ProjectionKernels.multiplyQuaternions(set, a, b, count, output)
      }
    }
  }

  /// Slerp along the shorter arc, one fraction per pair; the first non-zero component of a result
  /// is positive.
  public static func slerped(
    _ a: [Double], _ b: [Double], fractions: [Double], engine: Engine
  ) -> [Double] {
    let count = itemCount(a, 4)
    precondition(
      b.count == a.count && fractions.count == count,
      "\(a.count) and \(b.count) quaternion values with \(fractions.count) fractions")
    switch engine {
    case .reference:
      return (0..<count).flatMap { index in
        let range = (4 * index)..<(4 * index + 4)
        return values(
          Quaternion.slerp(
            quaternion(a[range]), quaternion(b[range]), fraction: fractions[index]
          ).canonical)
      }
    case .simd(let set):
      return unsafe filled(4 * count) { output in
        unsafe ProjectionKernels.slerpQuaternions(set, a, b, fractions, count, output)
      }
    }
  }

  /// Translations a + (b - a) · fraction.
  public static func interpolated(
    _ a: [Double], _ b: [Double], fractions: [Double], engine: Engine
  ) -> [Double] {
    precondition(
      a.count == b.count && a.count == 3 * fractions.count,
      "\(a.count) and \(b.count) translation values with \(fractions.count) fractions")
    switch engine {
    case .reference:
      return a.indices.map { a[$0] + (b[$0] - a[$0]) * fractions[$0 / 3] }
    case .simd(let set):
      return unsafe filled(a.count) { output in
        unsafe ProjectionKernels.interpolateLinearly(
          set, a, b, fractions, fractions.count, 3, output)
      }
    }
  }

  /// The one cast to float32.
  public static func narrowed(_ values: [Double], engine: Engine) -> [Float] {
    switch engine {
    case .reference: return values.map { Float($0) }
    case .simd(let set):
      return unsafe filled(values.count) { output in
        unsafe ProjectionKernels.narrow(set, values, values.count, output)
      }
    }
  }
}

extension PoseBatch {
  private static func itemCount(_ values: [Double], _ width: Int) -> Int {
    precondition(values.count % width == 0, "\(values.count) values are no items of \(width)")
    return values.count / width
  }
  private static func items(_ values: [Double], _ width: Int) -> [ArraySlice<Double>] {
    (0..<itemCount(values, width)).map { values[($0 * width)..<($0 * width + width)] }
  }
  private static func quaternion(_ v: ArraySlice<Double>) -> Quaternion {
    let i = v.startIndex
    return Quaternion(w: v[i], x: v[i + 1], y: v[i + 2], z: v[i + 3])
  }
  private static func values(_ q: Quaternion) -> [Double] { [q.w, q.x, q.y, q.z] }
  private static func vector(_ v: ArraySlice<Double>) -> SIMD3<Double> {
    SIMD3(v[v.startIndex], v[v.startIndex + 1], v[v.startIndex + 2])
  }
  private static func pose(_ v: ArraySlice<Double>) -> RigidTransform {
    let i = v.startIndex
    return RigidTransform(
      rotation: Matrix3(
        SIMD3(v[i], v[i + 1], v[i + 2]), SIMD3(v[i + 4], v[i + 5], v[i + 6]),
        SIMD3(v[i + 8], v[i + 9], v[i + 10])),
      translation: SIMD3(v[i + 3], v[i + 7], v[i + 11]))
  }
}
