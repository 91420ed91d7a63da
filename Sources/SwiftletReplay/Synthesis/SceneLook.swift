/// Colours of the street's surfaces: linear RGB albedo in 0...1 and the share of a laser pulse that
/// comes back.
enum SceneLook {
  /// A surface point to be coloured.
  struct Point {
    var material: SceneMaterial
    var look: UInt32
    /// In the primitive's own axes, and the primitive's half size.
    var local: SIMD3<Float>
    var half: SIMD3<Float>
    /// Outward, in the primitive's own axes.
    var normal: SIMD3<Float>
    /// Distance from the viewer, metres: detail fades with it, or it would flicker.
    var distance: Float
  }

  static func albedo(_ p: Point) -> SIMD3<Float> {
    switch p.material {
    case .road: SIMD3(repeating: 0.1)
    case .sidewalk: sidewalk(p)
    case .facade: facade(p)
    case .trim: facadePaint(p.look) * 0.75 + 0.12
    case .balcony: balcony(p)
    case .awning: vivid(p.look) * awningStripe(p)
    case .carBody, .carCabin, .vanBody, .wheel: vehicle(p)
    case .trunk: SIMD3(0.13, 0.08, 0.05)
    case .leaves: leaves(p)
    case .pole: SIMD3(0.12, 0.13, 0.13)
    case .lamp: SIMD3(0.75, 0.74, 0.65)
    case .sign: sign(p)
    case .bin: SIMD3(0.05, 0.13, 0.08)
    case .clothes: vivid(p.look &* 2_654_435_761) * 0.7 + 0.04
    case .trousers: SIMD3(0.05, 0.06, 0.1) * (0.5 + unit(p.look >> 7))
    case .skin: SIMD3(0.55, 0.36, 0.26) * (0.35 + 0.65 * unit(p.look >> 11))
    }
  }

  /// Reflectivity at the laser's wavelength, 0...1.
  static func reflectivity(_ material: SceneMaterial) -> Float {
    switch material {
    case .road: 0.12
    case .sidewalk: 0.3
    case .facade, .trim: 0.42
    case .balcony, .pole, .bin: 0.25
    case .awning, .clothes: 0.4
    case .carBody, .vanBody: 0.35
    case .carCabin: 0.1
    case .wheel, .trousers: 0.06
    case .trunk: 0.2
    case .leaves: 0.45
    case .lamp: 0.5
    case .sign: 0.95
    case .skin: 0.4
    }
  }

  /// Distance between window columns, metres.
  static func windowPitch(_ look: UInt32) -> Float { 2.1 + 0.6 * unit(look >> 5) }

  static func unit(_ bits: UInt32) -> Float {
    Float((bits &* 0x9e37_79b9) >> 8) * 0x1p-24
  }
  /// Detail's weight: 1 near, falling with distance.
  static func detail(_ distance: Float) -> Float { 1 / (1 + distance * 0.12) }

  // MARK: Ground

  /// The road and what is painted on it. `x` is absolute along the street.
  static func road(x: Double, y: Float, distance: Float) -> SIMD3<Float> {
    let fine = cellNoise(Int32(truncatingIfNeeded: Int((x * 12).rounded(.down))),
      Int32((y * 12).rounded(.down)), 1)
    let coarse = cellNoise(Int32(truncatingIfNeeded: Int((x * 0.7).rounded(.down))),
      Int32((y * 0.9).rounded(.down)), 2)
    let tone = 0.085 + (fine - 0.5) * 0.05 * detail(distance) + (coarse - 0.5) * 0.018
    let asphalt = SIMD3<Float>(tone, tone, tone * 1.06)
    let side = abs(y)
    if side > 13 {
      return SIMD3(0.1, 0.14, 0.06) * (0.92 + 0.16 * coarse + 0.3 * (fine - 0.5) * detail(distance))
    }
    return isPainted(x: x, y: y) ? SIMD3(repeating: 0.62 - 0.12 * fine) : asphalt
  }

  private static func isPainted(x: Double, y: Float) -> Bool {
    let side = abs(y)
    if side < 0.07 { return x.truncatingRemainder(dividingBy: 6).magnitude < 3 }
    if abs(side - 3.4) < 0.05 { return true }
    if side > 3.4 && side < 5.6 {
      return abs((x / 6.6).rounded() * 6.6 - x) < 0.05
    }
    // A zebra crossing near the start of every other block.
    let alongBlocks = x - (x / 96).rounded(.down) * 96
    if alongBlocks > 12 && alongBlocks < 15.5 && side < 3.3 {
      return (y * 1.1 - (y * 1.1).rounded(.down)) < 0.5
    }
    return false
  }

  private static func sidewalk(_ p: Point) -> SIMD3<Float> {
    if abs(p.normal.z) < 0.5 { return SIMD3(repeating: 0.36) }
    let x = p.local.x / 0.6
    let y = p.local.y / 0.6
    let tile = cellNoise(Int32(x.rounded(.down)), Int32(y.rounded(.down)), 3)
    let joint =
      min(x - x.rounded(.down), y - y.rounded(.down)) < 0.06 ? 0.75 * detail(p.distance) : 0
    let edge: Float = p.half.y - abs(p.local.y) < 0.16 ? 0.1 : 0
    let tone = (0.27 + 0.05 * (tile - 0.5) + edge) * (1 - joint * 0.4)
    return SIMD3(tone * 1.03, tone, tone * 0.94)
  }

  // MARK: Houses

  private static let paints: [SIMD3<Float>] = [
    SIMD3(0.60, 0.47, 0.31), SIMD3(0.56, 0.25, 0.17), SIMD3(0.66, 0.62, 0.54),
    SIMD3(0.40, 0.43, 0.44), SIMD3(0.68, 0.55, 0.22), SIMD3(0.33, 0.42, 0.47),
    SIMD3(0.62, 0.40, 0.30), SIMD3(0.45, 0.50, 0.38),
  ]
  static func facadePaint(_ look: UInt32) -> SIMD3<Float> {
    paints[Int(look % 8)] * (0.8 + 0.25 * unit(look >> 3))
  }

  private static func facade(_ p: Point) -> SIMD3<Float> {
    let paint = facadePaint(p.look)
    if abs(p.normal.z) > 0.5 { return SIMD3(0.2, 0.16, 0.14) }
    let alongX = abs(p.normal.y) > 0.5
    let u = alongX ? p.local.x : p.local.y
    let halfWidth = alongX ? p.half.x : p.half.y
    let height = p.local.z + p.half.z
    if height < 0.5 { return paint * 0.45 }
    if height < 3.3 { return shopFloor(p, paint: paint, u: u, height: height) }
    let pitch = windowPitch(p.look)
    let columns = max(1, (2 * halfWidth / pitch).rounded(.down))
    let column = u / pitch + columns / 2
    let index = column.rounded(.down)
    let across = (column - index - 0.5) * pitch
    let floor = ((height - 0.2) / 3.1).rounded(.down)
    let up = height - 0.2 - floor * 3.1
    let isInside = index >= 0 && index < columns && height < 2 * p.half.z - 0.7
    if isInside && abs(across) < 0.62 && up > 0.75 && up < 2.55 {
      let isFrame = abs(across) > 0.53 || up < 0.85 || up > 2.44 || abs(across) < 0.03
      if isFrame { return SIMD3(0.7, 0.69, 0.66) }
      return pane(Int32(index), Int32(floor), p.look, up: up)
    }
    if up < 0.12 { return paint * 0.8 }
    let grain = cellNoise(Int32((u * 7).rounded(.down)), Int32((height * 14).rounded(.down)), p.look)
    return paint * (1 + (grain - 0.5) * 0.16 * detail(p.distance))
  }

  private static func pane(
    _ column: Int32, _ floor: Int32, _ look: UInt32, up: Float
  ) -> SIMD3<Float> {
    let mood = cellNoise(column, floor, look)
    if mood > 0.86 { return SIMD3(0.5, 0.45, 0.33) }
    let sky = SIMD3<Float>(0.20, 0.27, 0.36)
    let dark = SIMD3<Float>(0.03, 0.04, 0.05)
    return dark + (sky - dark) * (0.2 + 0.5 * mood + 0.1 * up)
  }

  private static func shopFloor(
    _ p: Point, paint: SIMD3<Float>, u: Float, height: Float
  ) -> SIMD3<Float> {
    if height > 2.95 { return paint * 0.65 }
    let bay = u / 3.2 + 40
    let across = (bay - bay.rounded(.down)) * 3.2
    let kind = cellNoise(Int32(bay.rounded(.down)), 7, p.look)
    if kind < 0.25 {
      let isDoor = across > 1.0 && across < 2.1 && height < 2.5
      return isDoor ? vivid(p.look >> 4) * 0.4 : paint * 0.9
    }
    if across > 0.3 && across < 2.9 && height > 0.75 && height < 2.6 {
      let isFrame = across < 0.4 || across > 2.8 || height < 0.85
      if isFrame { return SIMD3(0.08, 0.08, 0.09) }
      return SIMD3(0.10, 0.12, 0.13) + SIMD3(0.16, 0.13, 0.08) * kind * (2.6 - height)
    }
    return paint * 0.85
  }

  private static func balcony(_ p: Point) -> SIMD3<Float> {
    let bars = p.local.x * 7
    let isBar = bars - bars.rounded(.down) < 0.4 || p.half.z - abs(p.local.z) < 0.06
    return isBar ? SIMD3(0.05, 0.055, 0.06) : facadePaint(p.look) * 0.5
  }
  private static func awningStripe(_ p: Point) -> SIMD3<Float> {
    let stripe = p.local.x * 1.6
    return SIMD3(repeating: stripe - stripe.rounded(.down) < 0.5 ? 1 : 0.55)
  }

  /// Saturated but not garish.
  static func vivid(_ look: UInt32) -> SIMD3<Float> {
    let hues: [SIMD3<Float>] = [
      SIMD3(0.55, 0.08, 0.07), SIMD3(0.07, 0.20, 0.45), SIMD3(0.08, 0.32, 0.16),
      SIMD3(0.62, 0.42, 0.08), SIMD3(0.45, 0.45, 0.45), SIMD3(0.28, 0.10, 0.32),
    ]
    return hues[Int(look % 6)]
  }

  // MARK: Plants and signs

  private static func leaves(_ p: Point) -> SIMD3<Float> {
    let cell = p.local * 6
    let grain = cellNoise(
      Int32(cell.x.rounded(.down)) &+ Int32(cell.z.rounded(.down)) &* 57,
      Int32(cell.y.rounded(.down)), p.look)
    let base = SIMD3<Float>(0.10, 0.21, 0.055) * (0.8 + 0.5 * unit(p.look))
    return base * (0.65 + 0.8 * grain)
  }
  private static func sign(_ p: Point) -> SIMD3<Float> {
    let r = (p.local.y * p.local.y + p.local.z * p.local.z).squareRoot()
    let isRed = p.look % 2 == 0
    if r > 0.24 { return isRed ? SIMD3(0.6, 0.03, 0.03) : SIMD3(0.7, 0.7, 0.7) }
    return isRed ? SIMD3(0.75, 0.75, 0.72) : SIMD3(0.05, 0.14, 0.5)
  }
}
