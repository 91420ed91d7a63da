/// What a surface is made of: decides its colour and how much of a laser pulse comes back.
enum SceneMaterial: UInt8, Sendable {
  case road, sidewalk, facade, trim, balcony, awning
  case carBody, carCabin, wheel, vanBody
  case trunk, leaves, pole, lamp, sign, bin
  case clothes, trousers, skin
}

/// A ray in the street frame at a time relative to the frame's stamp.
struct SceneRay {
  var origin: SIMD3<Float>
  /// Unit length, so that ray parameters are metres.
  var direction: SIMD3<Float>
  /// Seconds since the frame's timestamp; negative within the sweep.
  var time: Float
}

/// A solid with a closed-form ray intersection, standing in the street with a heading of its own and
/// moving at constant velocity during the frame.
struct ScenePrimitive {
  enum Shape: UInt8 {
    case box
    /// A box whose top is scaled by `taper` and shifted along x by `topShift`.
    case taperedBox
    /// Upright, radius `half.x`, with caps.
    case cylinder
    /// Lying along y, radius `half.x`, half width `half.y`, with caps.
    case wheel
    case ellipsoid
  }

  var shape: Shape
  var material: SceneMaterial
  /// Index of the object this belongs to in its snapshot.
  var object: Int32
  /// Chooses among the material's looks.
  var look: UInt32
  /// Centre at the frame's time, street frame relative to the snapshot's origin, metres.
  var center: SIMD3<Float>
  var half: SIMD3<Float>
  var cosHeading: Float
  var sinHeading: Float
  var velocity: SIMD3<Float>
  var taper: SIMD2<Float>
  var topShift: Float

  init(
    _ shape: Shape, _ material: SceneMaterial, center: SIMD3<Float>, half: SIMD3<Float>,
    look: UInt32 = 0, taper: SIMD2<Float> = SIMD2(1, 1), topShift: Float = 0
  ) {
    self.shape = shape
    self.material = material
    self.object = -1
    self.look = look
    self.center = center
    self.half = half
    self.cosHeading = 1
    self.sinHeading = 0
    self.velocity = .zero
    self.taper = taper
    self.topShift = topShift
  }

  /// A street-frame point in the primitive's own axes (origin at its centre) at `time`.
  @inline(__always)
  func local(_ point: SIMD3<Float>, time: Float) -> SIMD3<Float> {
    rotatedIn(point - center - velocity * time)
  }
  /// A street-frame direction in the primitive's own axes.
  @inline(__always)
  func rotatedIn(_ v: SIMD3<Float>) -> SIMD3<Float> {
    SIMD3(cosHeading * v.x + sinHeading * v.y, cosHeading * v.y - sinHeading * v.x, v.z)
  }
  /// A direction of the primitive's own axes in the street frame.
  @inline(__always)
  func rotatedOut(_ v: SIMD3<Float>) -> SIMD3<Float> {
    SIMD3(cosHeading * v.x - sinHeading * v.y, sinHeading * v.x + cosHeading * v.y, v.z)
  }

  /// Half the size of the axis-aligned box around this, in the street frame.
  var boundsHalf: SIMD3<Float> {
    var reach = half
    switch shape {
    case .cylinder: reach.y = half.x
    case .wheel: reach.z = half.x
    case .taperedBox: reach.x = max(half.x, abs(topShift) + half.x * taper.x)
    default: break
    }
    return SIMD3(
      abs(cosHeading) * reach.x + abs(sinHeading) * reach.y,
      abs(sinHeading) * reach.x + abs(cosHeading) * reach.y, reach.z)
  }

  /// Distance along the ray to the first entry into this solid, in `nearest`...`limit`; negative
  /// where there is none. A ray that starts inside does not hit.
  @inline(__always)
  func hit(_ ray: SceneRay, nearest: Float, limit: Float) -> Float {
    let o = local(ray.origin, time: ray.time)
    let d = rotatedIn(ray.direction)
    let t: Float
    switch shape {
    case .box: t = boxHit(o, d)
    case .taperedBox: t = taperedHit(o, d)
    case .cylinder: t = cylinderHit(o, d, radius: half.x, halfHeight: half.z)
    case .wheel:
      t = cylinderHit(
        SIMD3(o.x, o.z, o.y), SIMD3(d.x, d.z, d.y), radius: half.x, halfHeight: half.y)
    case .ellipsoid: t = ellipsoidHit(o, d)
    }
    return t >= nearest && t <= limit ? t : -1
  }
}

// The closed forms, in the primitive's own axes. Each returns the entry distance or −1.
extension ScenePrimitive {
  /// Slabs (Kay and Kajiya). A zero component becomes a huge distance that drops out.
  @inline(__always)
  private func boxHit(_ o: SIMD3<Float>, _ d: SIMD3<Float>) -> Float {
    let inverse = safeInverse(d)
    let a = (-half - o) * inverse
    let b = (half - o) * inverse
    let near = laneMin(a, b)
    let far = laneMax(a, b)
    let enter = max(near.x, max(near.y, near.z))
    let leave = min(far.x, min(far.y, far.z))
    return enter <= leave ? enter : -1
  }

  /// Clips the ray by the four slanted sides and the z slab.
  @inline(__always)
  private func taperedHit(_ o: SIMD3<Float>, _ d: SIMD3<Float>) -> Float {
    var enter = -Float.infinity
    var leave = Float.infinity
    @inline(__always)
    func clip(_ normal: SIMD3<Float>, _ offset: Float) {
      let speed = (normal * d).sum()
      let distance = offset - (normal * o).sum()
      if speed > 1e-12 {
        leave = min(leave, distance / speed)
      } else if speed < -1e-12 {
        enter = max(enter, distance / speed)
      } else if distance < 0 {
        leave = -.infinity
      }
    }
    let side = taperSlopes
    clip(SIMD3(0, 0, 1), half.z)
    clip(SIMD3(0, 0, -1), half.z)
    clip(SIMD3(1, 0, side.front), side.frontOffset)
    clip(SIMD3(-1, 0, side.back), side.backOffset)
    clip(SIMD3(0, 1, side.flank), side.flankOffset)
    clip(SIMD3(0, -1, side.flank), side.flankOffset)
    return enter <= leave ? enter : -1
  }

  /// The slanted sides as planes: |x| and |y| shrink linearly from bottom to top.
  var taperSlopes:
    (
      front: Float, frontOffset: Float, back: Float, backOffset: Float, flank: Float,
      flankOffset: Float
    )
  {
    let height = 2 * half.z
    let frontTop = topShift + half.x * taper.x
    let backTop = -topShift + half.x * taper.x
    let flankTop = half.y * taper.y
    // x + slope·z ≤ offset passes through (half.x, −half.z) and (frontTop, +half.z).
    return (
      (half.x - frontTop) / height, (half.x + frontTop) / 2, (half.x - backTop) / height,
      (half.x + backTop) / 2, (half.y - flankTop) / height, (half.y + flankTop) / 2
    )
  }

  @inline(__always)
  private func cylinderHit(
    _ o: SIMD3<Float>, _ d: SIMD3<Float>, radius: Float, halfHeight: Float
  ) -> Float {
    let a = d.x * d.x + d.y * d.y
    let b = o.x * d.x + o.y * d.y
    let c = o.x * o.x + o.y * o.y - radius * radius
    var enter = -Float.infinity
    var leave = Float.infinity
    if a > 1e-12 {
      let discriminant = b * b - a * c
      if discriminant < 0 { return -1 }
      let root = discriminant.squareRoot()
      enter = (-b - root) / a
      leave = (-b + root) / a
    } else if c > 0 {
      return -1
    }
    let inverse = 1 / (abs(d.z) < 1e-20 ? 1e-20 : d.z)
    let capA = (-halfHeight - o.z) * inverse
    let capB = (halfHeight - o.z) * inverse
    enter = max(enter, min(capA, capB))
    leave = min(leave, max(capA, capB))
    return enter <= leave ? enter : -1
  }

  @inline(__always)
  private func ellipsoidHit(_ o: SIMD3<Float>, _ d: SIMD3<Float>) -> Float {
    let os = o / half
    let ds = d / half
    let a = (ds * ds).sum()
    let b = (os * ds).sum()
    let c = (os * os).sum() - 1
    let discriminant = b * b - a * c
    return discriminant < 0 ? -1 : (-b - discriminant.squareRoot()) / a
  }

  /// The outward normal at a surface point in the primitive's own axes: that of the side the point
  /// is nearest to.
  func localNormal(_ p: SIMD3<Float>) -> SIMD3<Float> {
    switch shape {
    case .box:
      let gap = (half - SIMD3(abs(p.x), abs(p.y), abs(p.z)))
      if gap.x <= gap.y && gap.x <= gap.z { return SIMD3(p.x < 0 ? -1 : 1, 0, 0) }
      if gap.y <= gap.z { return SIMD3(0, p.y < 0 ? -1 : 1, 0) }
      return SIMD3(0, 0, p.z < 0 ? -1 : 1)
    case .taperedBox: return taperedNormal(p)
    case .cylinder:
      if half.z - abs(p.z) < 1e-3 { return SIMD3(0, 0, p.z < 0 ? -1 : 1) }
      return normalized(SIMD3(p.x, p.y, 0))
    case .wheel:
      if half.y - abs(p.y) < 1e-3 { return SIMD3(0, p.y < 0 ? -1 : 1, 0) }
      return normalized(SIMD3(p.x, 0, p.z))
    case .ellipsoid: return normalized(p / (half * half))
    }
  }

  private func taperedNormal(_ p: SIMD3<Float>) -> SIMD3<Float> {
    let side = taperSlopes
    let sides: [(normal: SIMD3<Float>, offset: Float)] = [
      (SIMD3(0, 0, 1), half.z), (SIMD3(0, 0, -1), half.z),
      (SIMD3(1, 0, side.front), side.frontOffset), (SIMD3(-1, 0, side.back), side.backOffset),
      (SIMD3(0, 1, side.flank), side.flankOffset), (SIMD3(0, -1, side.flank), side.flankOffset),
    ]
    var best = SIMD3<Float>(0, 0, 1)
    var smallest = Float.infinity
    for side in sides {
      let length = (side.normal * side.normal).sum().squareRoot()
      let gap = abs(side.offset - (side.normal * p).sum()) / length
      if gap < smallest {
        smallest = gap
        best = side.normal / length
      }
    }
    return best
  }
}

@inline(__always)
func normalized(_ v: SIMD3<Float>) -> SIMD3<Float> { v / (v * v).sum().squareRoot() }
