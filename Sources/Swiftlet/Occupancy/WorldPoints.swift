/// Points in world axes as three planes of float32 with 8 floats of slack each.
@safe
struct WorldPoints {
  let planes: AlignedBuffer<Float>
  let stride: Int
  let count: Int

  /// Room for `capacity` points.
  init(capacity: Int) {
    stride = (capacity + 15) & ~7
    planes = AlignedBuffer(count: 3 * stride)
    count = 0
  }
  init(_ points: [SIMD3<Float>]) {
    stride = (points.count + 15) & ~7
    planes = AlignedBuffer(count: 3 * stride)
    count = points.count
    for (index, point) in points.enumerated() {
      planes[index] = point.x
      planes[stride + index] = point.y
      planes[2 * stride + index] = point.z
    }
  }
  /// A cloud brought to world: ((r0·x + r1·y) + r2·z) + t in float64, rounded once.
  init(_ points: PointCloudView, worldFromLidar: RigidTransform, engine: Engine) {
    stride = (points.count + 15) & ~7
    planes = AlignedBuffer(count: 3 * stride)
    count = points.count
    guard let base = unsafe points.baseAddress else { return }
    let matrix = AlignedBuffer<Double>(worldFromLidar.rowMajor4x4)
    switch engine {
    case .reference:
      for index in 0..<count {
        let point = unsafe SIMD3<Float>(
          points.value(index, points.xByteOffset), points.value(index, points.yByteOffset),
          points.value(index, points.zByteOffset))
        let world = Self.transformed(point, worldFromLidar)
        planes[index] = world.x
        planes[stride + index] = world.y
        planes[2 * stride + index] = world.z
      }
    case .simd(let set):
      unsafe OccupancyKernels.transformPoints(
        set, base, points.byteStride, points.xByteOffset, points.yByteOffset, points.zByteOffset,
        count, matrix.pointer, x, y, z)
    }
  }

  /// The scalar rule, kept apart from RigidTransform's product because its order is fixed.
  static func transformed(_ point: SIMD3<Float>, _ transform: RigidTransform) -> SIMD3<Float> {
    let p = SIMD3<Double>(point)
    let r = transform.rotation
    let t = transform.translation
    return SIMD3(
      Float(((r.row0.x * p.x + r.row0.y * p.y) + r.row0.z * p.z) + t.x),
      Float(((r.row1.x * p.x + r.row1.y * p.y) + r.row1.z * p.z) + t.y),
      Float(((r.row2.x * p.x + r.row2.y * p.y) + r.row2.z * p.z) + t.z))
  }

  @unsafe var x: UnsafeMutablePointer<Float> { unsafe planes.pointer }
  @unsafe var y: UnsafeMutablePointer<Float> { unsafe planes.pointer + stride }
  @unsafe var z: UnsafeMutablePointer<Float> { unsafe planes.pointer + 2 * stride }
  subscript(index: Int) -> SIMD3<Float> {
    SIMD3(planes[index], planes[stride + index], planes[2 * stride + index])
  }
}
