extension SceneLook {
  private static let carPaints: [SIMD3<Float>] = [
    SIMD3(0.62, 0.63, 0.65), SIMD3(0.045, 0.05, 0.055), SIMD3(0.33, 0.34, 0.36),
    SIMD3(0.45, 0.05, 0.05), SIMD3(0.06, 0.13, 0.36), SIMD3(0.72, 0.72, 0.70),
    SIMD3(0.10, 0.22, 0.17), SIMD3(0.55, 0.42, 0.14),
  ]

  /// Paint, windows, lamps, plates and tyres of cars and vans.
  static func vehicle(_ p: Point) -> SIMD3<Float> {
    let paint = carPaints[Int(p.look % 8)]
    switch p.material {
    case .wheel:
      let r = (p.local.x * p.local.x + p.local.z * p.local.z).squareRoot()
      let isRim = abs(p.normal.y) > 0.5 && r < 0.62 * p.half.x
      return isRim ? SIMD3(0.42, 0.43, 0.44) : SIMD3(0.02, 0.02, 0.022)
    case .carCabin: return cabin(p, paint: paint)
    case .vanBody: return van(p, paint: paint)
    default: return body(p, paint: paint)
    }
  }

  private static func body(_ p: Point, paint: SIMD3<Float>) -> SIMD3<Float> {
    let height = p.local.z + p.half.z
    if height < 0.1 { return SIMD3(0.03, 0.03, 0.03) }
    if abs(p.normal.x) > 0.7 {
      let isFront = p.normal.x > 0
      let side = abs(p.local.y) / p.half.y
      if side > 0.6 && height > 0.28 && height < 0.5 {
        return isFront ? SIMD3(0.85, 0.85, 0.78) : SIMD3(0.6, 0.02, 0.02)
      }
      if side < 0.3 && height > 0.16 && height < 0.3 { return SIMD3(0.75, 0.75, 0.68) }
      if isFront && side < 0.55 && height > 0.3 && height < 0.48 { return SIMD3(0.03, 0.03, 0.03) }
    }
    if abs(p.normal.y) > 0.7 {
      let seam = abs(abs(p.local.x + 0.1) - 0.55)
      if seam < 0.012 { return paint * 0.35 }
      // The dark of the wheel arches.
      let arch = abs(abs(p.local.x) - 0.62 * p.half.x)
      if height < 0.5 && (arch * arch + (height - 0.1) * (height - 0.1)) < 0.17 {
        return SIMD3(0.015, 0.015, 0.015)
      }
    }
    return paint
  }

  private static func cabin(_ p: Point, paint: SIMD3<Float>) -> SIMD3<Float> {
    if p.normal.z > 0.9 { return paint }
    let height = (p.local.z + p.half.z) / (2 * p.half.z)
    if height > 0.9 || height < 0.06 { return paint }
    if abs(p.normal.y) > 0.6 {
      let reach = p.half.x * (1 - 0.34 * height)
      let along = p.local.x - p.topShift(height)
      if abs(along) > reach - 0.12 || abs(along + 0.1) < 0.05 { return paint * 0.8 }
    } else if abs(p.local.y) > p.half.y * (1 - 0.16 * height) - 0.09 {
      return paint * 0.85
    }
    return SIMD3(0.05, 0.065, 0.08) + SIMD3(0.10, 0.13, 0.16) * height
  }

  private static func van(_ p: Point, paint: SIMD3<Float>) -> SIMD3<Float> {
    let height = p.local.z + p.half.z + 0.3
    if height < 0.42 { return SIMD3(0.03, 0.03, 0.03) }
    let total = 2 * p.half.z + 0.3
    if p.normal.x > 0.6 {
      if height > 0.5 * total && height < 0.85 * total { return SIMD3(0.07, 0.09, 0.11) }
      if abs(p.local.y) > 0.65 * p.half.y && height > 0.6 && height < 0.85 {
        return SIMD3(0.85, 0.85, 0.78)
      }
    }
    if p.normal.x < -0.6 {
      if abs(p.local.y) > 0.8 * p.half.y && height > 0.7 && height < 1.3 {
        return SIMD3(0.55, 0.02, 0.02)
      }
      if abs(p.local.y) < 0.02 { return paint * 0.3 }
    }
    let isDoorWindow =
      abs(p.normal.y) > 0.6 && p.local.x > 0.45 * p.half.x && p.local.x < 0.78 * p.half.x
    if isDoorWindow && height > 0.52 * total && height < 0.82 * total {
      return SIMD3(0.06, 0.08, 0.1)
    }
    return SIMD3(0.6, 0.6, 0.6) * 0.5 + paint * 0.5
  }
}

extension SceneLook.Point {
  /// How far a car's cabin leans back at a relative height.
  fileprivate func topShift(_ height: Float) -> Float { -0.15 * half.x * height }
}
