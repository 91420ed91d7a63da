/// The source position of a warp: cell (x, y) of the current map reads the previous map at
/// (xx · x + xy · y + x0, yx · x + yy · y + y0), in cells.
public struct BEVPixelTransform: Sendable, Equatable {
  public var xx, xy, x0: Double
  public var yx, yy, y0: Double

  public init(xx: Double, xy: Double, x0: Double, yx: Double, yy: Double, y0: Double) {
    self.xx = xx
    self.xy = xy
    self.x0 = x0
    self.yx = yx
    self.yy = yy
    self.y0 = y0
  }
  public static let identity = BEVPixelTransform(xx: 1, xy: 0, x0: 0, yx: 0, yy: 1, y0: 0)

  /// From a planar metric transform (previous from current, last row 0 0 1): cell index i lies at
  /// `lower` + i · `step` metres.
  public init(
    previousFromCurrent m: Matrix3, lowerMeters: SIMD2<Double>, stepMeters: SIMD2<Double>
  ) {
    // inverse(S) M S with S = [[sx, 0, lx], [0, sy, ly], [0, 0, 1]].
    let x = m.row0.x * lowerMeters.x + m.row0.y * lowerMeters.y + m.row0.z - lowerMeters.x
    let y = m.row1.x * lowerMeters.x + m.row1.y * lowerMeters.y + m.row1.z - lowerMeters.y
    self.init(
      xx: m.row0.x, xy: m.row0.y * stepMeters.y / stepMeters.x, x0: x / stepMeters.x,
      yx: m.row1.x * stepMeters.x / stepMeters.y, yy: m.row1.y, y0: y / stepMeters.y)
  }

  /// Our own pipeline's convention: a cell stands for its centre, lower + (i + 1/2) · step. The
  /// vertical motion is left out.
  public static func cellCenters(
    previousEgoFromCurrentEgo: RigidTransform, grid: BEVGrid
  ) -> BEVPixelTransform {
    let r = previousEgoFromCurrentEgo.rotation
    let t = previousEgoFromCurrentEgo.translation
    let step = SIMD2(grid.stepMeters.x, grid.stepMeters.y)
    return BEVPixelTransform(
      previousFromCurrent: Matrix3(
        SIMD3(r.row0.x, r.row0.y, t.x), SIMD3(r.row1.x, r.row1.y, t.y), SIMD3(0, 0, 1)),
      lowerMeters: SIMD2(grid.lowerMeters.x, grid.lowerMeters.y) + step / 2, stepMeters: step)
  }

  /// BEVDet4D's convention: camera 0 of the current and of the previous frame to the key ego frame,
  /// both after the BEV augmentation, rows and columns of z dropped; cell index i lies at
  /// lower + i · step (no half cell).
  public static func bevDet4D(
    keyFromCurrentCamera current: RigidTransform, keyFromPreviousCamera previous: RigidTransform,
    bevAugmentation: Matrix3 = .identity, lowerMeters: SIMD2<Double>, stepMeters: SIMD2<Double>
  ) -> BEVPixelTransform {
    bevDet4D(
      (bevAugmentation * current.rotation, bevAugmentation * current.translation),
      (bevAugmentation * previous.rotation, bevAugmentation * previous.translation),
      lowerMeters, stepMeters)
  }

  /// M = (B cur) · inverse(B prev) for affine maps; B cur and B prev need not be rotations.
  private static func bevDet4D(
    _ current: (Matrix3, SIMD3<Double>), _ previous: (Matrix3, SIMD3<Double>),
    _ lower: SIMD2<Double>, _ step: SIMD2<Double>
  ) -> BEVPixelTransform {
    let linear = current.0 * previous.0.inverse
    let shift = current.1 - linear * previous.1
    return BEVPixelTransform(
      previousFromCurrent: Matrix3(
        SIMD3(linear.row0.x, linear.row0.y, shift.x), SIMD3(linear.row1.x, linear.row1.y, shift.y),
        SIMD3(0, 0, 1)), lowerMeters: lower, stepMeters: step)
  }
}

/// Bilinear alignment of a BEV map [y][x][channel] between two ego poses, zero outside the map.
///
/// Owns its results, valid until the next call; nothing allocates after `init`. Source positions
/// are computed in float64; the four taps are blended in float32.
public final class BEVWarp {
  public let width: Int
  public let height: Int
  public let channels: Int
  public let engine: Engine
  let pool: WorkerPool
  /// The warped map, [y][x][channel].
  public let output: AlignedBuffer<Float>
  /// [y][x]: 1 where every tap of non-zero weight lay inside the map and was valid.
  public let validity: AlignedBuffer<UInt8>
  private let coefficients = AlignedBuffer<Double>(count: 6)

  public init(width: Int, height: Int, channels: Int, engine: Engine, pool: WorkerPool) {
    precondition(
      width > 0 && height > 0 && channels > 0, "a map of \(width)×\(height)×\(channels) is empty")
    self.width = width
    self.height = height
    self.channels = channels
    self.engine = engine
    self.pool = pool
    output = AlignedBuffer(count: width * height * channels)
    validity = AlignedBuffer(count: width * height)
  }

  /// Warps `previous` and its validity into `output` and `validity`.
  ///
  /// - Parameters:
  ///   - previous: [y][x][channel] of this warp's size; must not be `output`.
  ///   - previousValidity: [y][x]; nil when every cell is valid.
  ///   - transform: from pixels of the new map to pixels of the previous one.
  public func warp(
    _ previous: UnsafeBufferPointer<Float>, validity previousValidity: UnsafeBufferPointer<UInt8>?,
    by transform: BEVPixelTransform
  ) {
    precondition(
      previous.count >= output.count, "a map of \(previous.count) values, not \(output.count)")
    if let cells = unsafe previousValidity?.count {
      precondition(
        cells >= validity.count, "a validity of \(cells) cells, not \(validity.count)")
    }
    coefficients[0] = transform.xx
    coefficients[1] = transform.xy
    coefficients[2] = transform.x0
    coefficients[3] = transform.yx
    coefficients[4] = transform.yy
    coefficients[5] = transform.y0
    guard let source = previous.baseAddress else { return }
    let valid = unsafe previousValidity?.baseAddress
    switch engine {
    case .reference: unsafe warpReference(source, valid, transform)
    case .simd(let set):
      unsafe pool.run(
        WarpJob(
          set: set, source: source, valid: valid, width: width, height: height,
          channels: channels, transform: coefficients.pointer, output: output.pointer,
          validity: validity.pointer))
    }
  }
}

@safe struct WarpJob: PartitionedJob {
  var set: InstructionSet
  var source: UnsafePointer<Float>
  var valid: UnsafePointer<UInt8>?
  var width: Int
  var height: Int
  var channels: Int
  var transform: UnsafeMutablePointer<Double>
  var output: UnsafeMutablePointer<Float>
  var validity: UnsafeMutablePointer<UInt8>

  func run(part: Int, of parts: Int) {
    let rows = partition(height, part: part, of: parts)
    unsafe ProjectionKernels.warpRows(
      set, source, width, height, channels, transform, rows.lowerBound, rows.upperBound, output)
    unsafe ProjectionKernels.warpValidityRows(
      set, valid, width, height, transform, rows.lowerBound, rows.upperBound, validity)
  }
}
