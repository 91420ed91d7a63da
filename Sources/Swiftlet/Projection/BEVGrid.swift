/// A grid of cells in a BEV frame: x fastest, then y, then z.
public struct BEVGrid: Sendable, Equatable {
  /// Lower bounds of cell (0, 0, 0), metres.
  public var lowerMeters: SIMD3<Double>
  /// Edge lengths of a cell, metres.
  public var stepMeters: SIMD3<Double>
  public var sizeX: Int
  public var sizeY: Int
  /// The number of height slabs.
  public var sizeZ: Int

  public init(
    lowerMeters: SIMD3<Double>, stepMeters: SIMD3<Double>, sizeX: Int, sizeY: Int, sizeZ: Int
  ) {
    precondition(
      sizeX > 0 && sizeY > 0 && sizeZ > 0, "a grid of \(sizeX)×\(sizeY)×\(sizeZ) cells is empty")
    precondition(
      sizeX * sizeY * sizeZ < 1 << 30,
      "\(sizeX)×\(sizeY)×\(sizeZ) cells exceed the 32-bit tables' \(1 << 30)")
    self.lowerMeters = lowerMeters
    self.stepMeters = stepMeters
    self.sizeX = sizeX
    self.sizeY = sizeY
    self.sizeZ = sizeZ
  }

  /// From lower bound, upper bound and step per axis, as the projects write their grids; sizes are
  /// (upper - lower) / step rounded to the nearest integer (all shipped grids are exact).
  public init(
    x: (lower: Double, upper: Double, step: Double),
    y: (lower: Double, upper: Double, step: Double),
    z: (lower: Double, upper: Double, step: Double)
  ) {
    self.init(
      lowerMeters: SIMD3(x.lower, y.lower, z.lower), stepMeters: SIMD3(x.step, y.step, z.step),
      sizeX: Int(((x.upper - x.lower) / x.step).rounded()),
      sizeY: Int(((y.upper - y.lower) / y.step).rounded()),
      sizeZ: Int(((z.upper - z.lower) / z.step).rounded()))
  }

  public var cellCount: Int { sizeX * sizeY * sizeZ }
  /// The centre of cell (x, y), metres.
  public func center(x: Int, y: Int) -> SIMD2<Double> {
    SIMD2(
      lowerMeters.x + (Double(x) + 0.5) * stepMeters.x,
      lowerMeters.y + (Double(y) + 0.5) * stepMeters.y)
  }
}

/// How a quotient (position - lower) / step becomes a cell.
public enum CellRule: String, Sendable, BitwiseCopyable {
  /// Cut toward zero, as LSS, BEVDet, BEVFusion, FlashOcc and FB-OCC do: points up to one cell
  /// below the lower bound are kept in cell 0 of every axis.
  case truncation
  /// Rounded down: only points inside the bounds are kept. Right, but other numbers than theirs.
  case floor
}

/// A set of cameras by their position in the rig, up to 16.
public struct CameraSet: OptionSet, Sendable, BitwiseCopyable {
  public var rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// Every camera of any rig.
  public static let all = CameraSet(rawValue: .max)
  public static func camera(_ index: Int) -> CameraSet { CameraSet(rawValue: 1 << UInt16(index)) }
  public func contains(camera index: Int) -> Bool { rawValue >> UInt16(index) & 1 == 1 }
}
