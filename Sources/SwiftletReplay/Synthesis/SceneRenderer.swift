import Swiftlet

/// Shades what rays hit: sun with shadows, sky light, haze, sky.
struct SceneRenderer: Sendable {
  /// Towards the sun, street frame.
  static let sun = normalized(SIMD3<Float>(0.42, 0.52, 0.80))
  private static let sunLight = SIMD3<Float>(1.32, 1.24, 1.08)
  private static let skyLight = SIMD3<Float>(0.50, 0.56, 0.66)
  static let sightMeters: Float = 160

  let tree: SceneTree
  /// Street x of the snapshot's origin.
  let originX: Double

  /// Linear colour seen along a ray, with what it hit.
  func color(_ ray: SceneRay) -> (color: SIMD3<Float>, distance: Float, primitive: Int32) {
    guard let hit = tree.firstHit(ray, limit: Self.sightMeters) else {
      return (sky(ray.direction), .infinity, -2)
    }
    let point = ray.origin + ray.direction * hit.distance
    let surface = surface(at: point, ray: ray, hit: hit)
    let facing = (surface.normal * Self.sun).sum()
    var light = Self.skyLight * (0.62 + 0.38 * surface.normal.z)
    if facing > 0 {
      let toSun = SceneRay(
        origin: point + surface.normal * 0.01, direction: Self.sun, time: ray.time)
      if !tree.isBlocked(toSun, limit: 60) { light += Self.sunLight * facing }
    }
    let lit = surface.albedo * light + gloss(surface, ray)
    let haze = 1 - 1 / (1 + hit.distance * hit.distance * 2.2e-5)
    let color = lit + (sky(SIMD3(ray.direction.x, ray.direction.y, 0.05)) - lit) * haze
    return (color, hit.distance, hit.primitive)
  }

  private struct Surface {
    var albedo: SIMD3<Float>
    var normal: SIMD3<Float>
    var material: SceneMaterial
  }

  private func surface(at point: SIMD3<Float>, ray: SceneRay, hit: SceneTree.Hit) -> Surface {
    if hit.primitive < 0 {
      return Surface(
        albedo: SceneLook.road(
          x: originX + Double(point.x), y: point.y, distance: hit.distance),
        normal: SIMD3(0, 0, 1), material: .road)
    }
    let primitive = tree.primitives[Int(hit.primitive)]
    let local = primitive.local(point, time: ray.time)
    let normal = primitive.localNormal(local)
    let albedo = SceneLook.albedo(
      SceneLook.Point(
        material: primitive.material, look: primitive.look, local: local, half: primitive.half,
        normal: normal, distance: hit.distance))
    return Surface(
      albedo: albedo, normal: primitive.rotatedOut(normal), material: primitive.material)
  }

  /// The sky's reflection in paint and glass (Schlick's approximation).
  private func gloss(_ surface: Surface, _ ray: SceneRay) -> SIMD3<Float> {
    let strength: Float
    switch surface.material {
    case .carBody, .vanBody: strength = 0.05
    case .carCabin: strength = 0.1
    default: return .zero
    }
    let facing = max(0, -(surface.normal * ray.direction).sum())
    let edge = (1 - facing) * (1 - facing)
    let mirrored = ray.direction + surface.normal * (2 * facing)
    let highlight = max(0, (mirrored * Self.sun).sum())
    let sparkle = highlight * highlight * highlight * highlight
    let spark = sparkle * sparkle * sparkle * sparkle * 0.6
    return sky(mirrored) * (strength + 0.35 * edge * edge) + Self.sunLight * spark
  }

  /// A clear sky: paler towards the horizon, warmer around the sun.
  func sky(_ direction: SIMD3<Float>) -> SIMD3<Float> {
    let up = max(0, direction.z)
    let horizon = SIMD3<Float>(0.78, 0.83, 0.88)
    let zenith = SIMD3<Float>(0.18, 0.36, 0.72)
    let blend = up / (up + 0.28)
    let glow = max(0, (direction * Self.sun).sum())
    let halo = glow * glow * glow * glow * glow * glow * 0.12
    let cloud = cloudiness(direction)
    let clear = horizon + (zenith - horizon) * blend
    return clear + (SIMD3(repeating: 0.92) - clear) * cloud + SIMD3(0.3, 0.26, 0.2) * halo
  }

  private func cloudiness(_ d: SIMD3<Float>) -> Float {
    guard d.z > 0.03 else { return 0 }
    let x = d.x / d.z * 1.3
    let y = d.y / d.z * 2.1
    let sum = smoothNoise(x, y) * 0.6 + smoothNoise(x * 2.3, y * 2.3) * 0.4
    return min(0.75, max(0, (sum - 0.52) * 3.2)) * min(1, d.z * 6)
  }
  private func smoothNoise(_ x: Float, _ y: Float) -> Float {
    let fx = x.rounded(.down)
    let fy = y.rounded(.down)
    let (ix, iy) = (Int32(max(-1e6, min(1e6, fx))), Int32(max(-1e6, min(1e6, fy))))
    let (tx, ty) = (smooth(x - fx), smooth(y - fy))
    let low = cellNoise(ix, iy, 9) * (1 - tx) + cellNoise(ix &+ 1, iy, 9) * tx
    let high = cellNoise(ix, iy &+ 1, 9) * (1 - tx) + cellNoise(ix &+ 1, iy &+ 1, 9) * tx
    return low * (1 - ty) + high * ty
  }
  private func smooth(_ t: Float) -> Float { t * t * (3 - 2 * t) }

  /// 8-bit display values of a linear colour: exposure, a soft shoulder, gamma 2.
  static func display(_ linear: SIMD3<Float>) -> SIMD3<UInt8> {
    let exposed = linear * 1.05
    let toned = exposed / (exposed * 0.28 + 0.86)
    let bounded = toned.clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 1))
    let value = SIMD3(bounded.x.squareRoot(), bounded.y.squareRoot(), bounded.z.squareRoot())
    return SIMD3<UInt8>(
      UInt8(value.x * 255 + 0.5), UInt8(value.y * 255 + 0.5), UInt8(value.z * 255 + 0.5))
  }
}
