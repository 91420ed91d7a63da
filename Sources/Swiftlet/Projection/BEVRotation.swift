#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// BEVFormer's alignment of the previous BEV map: a nearest-neighbour rotation, and a shift of the
/// reference points.
public enum BEVRotation {
  /// The centre in pixel-edge coordinates that every published configuration uses, also for maps
  /// of 50×50 and 150×150 where it is off the middle.
  public static let publishedCenter = SIMD2<Double>(100, 100)
  /// The middle of a map: what a correct rotation turns about.
  public static func middle(width: Int, height: Int) -> SIMD2<Double> {
    SIMD2(Double(width) / 2, Double(height) / 2)
  }

  /// Rotates `map` [y][x][channel] by `angleDegrees`, counter-clockwise with rows downwards, about
  /// `center`; nearest neighbour, half to even, zero outside. Allocates nothing.
  ///
  /// - Precondition: `output` does not overlap `map`; both hold width · height · channels values.
  public static func rotate(
    _ map: UnsafeBufferPointer<Float>, width: Int, height: Int, channels: Int,
    angleDegrees: Double, center: SIMD2<Double>, into output: UnsafeMutableBufferPointer<Float>,
    engine: Engine, pool: WorkerPool
  ) {
    let count = width * height * channels
    precondition(
      map.count >= count && output.count >= count,
      "\(map.count) and \(output.count) values for \(width)×\(height)×\(channels)")
    guard let source = map.baseAddress, let target = output.baseAddress else { return }
    let angle = angleDegrees * .pi / 180
    let job = unsafe RotateJob(
      set: .portable, source: source, height: height, width: width, channels: channels,
      cosine: cos(angle), sine: sin(angle), center: center, output: target)
    switch engine {
    case .reference: job.rotateReference()
    case .simd(let set):
      var job = job
      job.set = set
      pool.run(job)
    }
  }

  /// The shift of the history queue's reference points in units of the map (x, y): for a
  /// translation (dx, dy) since the previous frame, length L and bev_angle = yaw - atan2(dy, dx),
  /// L sin over the width and L cos over the height. Sine goes with x because BEVFormer's lidar
  /// frame looks along y.
  public static func shift(
    translation: SIMD2<Double>, yawRadians: Double, cellMeters: SIMD2<Double>, width: Int,
    height: Int
  ) -> SIMD2<Double> {
    let length = (translation.x * translation.x + translation.y * translation.y).squareRoot()
    let angle = yawRadians - atan2(translation.y, translation.x)
    return SIMD2(
      length * sin(angle) / cellMeters.x / Double(width),
      length * cos(angle) / cellMeters.y / Double(height))
  }
}

@safe struct RotateJob: PartitionedJob {
  var set: InstructionSet
  var source: UnsafePointer<Float>
  var height: Int
  var width: Int
  var channels: Int
  var cosine: Double
  var sine: Double
  var center: SIMD2<Double>
  var output: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let rows = partition(height, part: part, of: parts)
    unsafe ProjectionKernels.rotateRows(
      set, source, height, width, channels, cosine, sine, center.x, center.y, rows.lowerBound,
      rows.upperBound, output)
  }

  func rotateReference() {
    for row in 0..<height {
      for column in 0..<width {
        let x = Double(column) + 0.5 - center.x
        let y = Double(row) + 0.5 - center.y
        let fromX = (cosine * x - sine * y + center.x - 0.5).rounded(.toNearestOrEven)
        let fromY = (sine * x + cosine * y + center.y - 0.5).rounded(.toNearestOrEven)
        let isInside =
          fromX >= 0 && fromY >= 0 && fromX < Double(width) && fromY < Double(height)
        for channel in 0..<channels {
          unsafe output[(row * width + column) * channels + channel] =
            isInside ? source[(Int(fromY) * width + Int(fromX)) * channels + channel] : 0
        }
      }
    }
  }
}
