/// An 8-bit RGB colour.
public struct PictureColor: Sendable, Equatable {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }
  /// Components are clamped to 0...1; NaN is black.
  public init(unit: SIMD3<Float>) {
    func byte(_ value: Float) -> UInt8 { value > 0 ? UInt8(min(1, value) * 255 + 0.5) : 0 }
    self.init(byte(unit.x), byte(unit.y), byte(unit.z))
  }

  public static let black = PictureColor(0, 0, 0)
  public static let white = PictureColor(255, 255, 255)
  /// Behind everything that is not map.
  static let paper = PictureColor(24, 26, 29)
  public static let ink = PictureColor(232, 234, 237)
  static let faintInk = PictureColor(140, 145, 152)
  /// Cells no camera or scan contributes to.
  static let invalid = PictureColor(48, 50, 54)
  static let ego = PictureColor(255, 92, 61)

  /// This colour darkened (below 1) or brightened.
  func scaled(_ factor: Float) -> PictureColor {
    PictureColor(
      unit: SIMD3(Float(red), Float(green), Float(blue)) * (factor / 255))
  }
}

/// A colour map given by equally spaced stops.
public struct ColorMap: Sendable {
  private let stops: [SIMD3<Float>]

  private init(_ stops: [(Float, Float, Float)]) {
    self.stops = stops.map { SIMD3($0.0, $0.1, $0.2) / 255 }
  }

  /// The colour at `fraction`, clamped to 0...1.
  public func color(_ fraction: Float) -> PictureColor {
    let place = max(0, min(1, fraction.isNaN ? 0 : fraction)) * Float(stops.count - 1)
    let lower = min(stops.count - 2, Int(place))
    let blend = place - Float(lower)
    return PictureColor(unit: stops[lower] + (stops[lower + 1] - stops[lower]) * blend)
  }

  /// Viridis (van der Walt and Smith, 2015), perceptually uniform, readable without colour vision.
  public static let viridis = ColorMap([
    (68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137),
    (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37),
  ])
  /// Turbo (Mikhailov, 2019): many hues, for telling distances apart in photographs.
  public static let turbo = ColorMap([
    (48, 18, 59), (70, 98, 216), (54, 170, 249), (26, 228, 182), (114, 254, 94), (200, 239, 52),
    (250, 186, 57), (246, 107, 25), (203, 42, 4), (122, 4, 3),
  ])
}
