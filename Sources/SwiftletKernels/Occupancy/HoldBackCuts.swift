import CVectorShims

/// Which of sixteen beams still look for neighbours on one side: until they have found `most`, or one
/// that is `width` away.
struct NeighbourSearch {
  private var open: SIMD16<Int32>
  private var left: SIMD16<Int32>

  @inline(__always)
  init(_ range: SIMD16<Float>, most: Int32) {
    open = swl_less_f32x16(SIMD16(repeating: 0), range)
    left = SIMD16(repeating: most &- 1)
  }

  var isOpen: Bool {
    @inline(__always) get { swl_mask_bits_i32x16(open) != 0 }
  }

  /// The lanes for which the beam of range `near` (0: there is none), `gap` away, is a neighbour.
  @inline(__always)
  mutating func take(
    _ near: SIMD16<Float>, _ gap: SIMD16<Float>, _ width: Float
  ) -> SIMD16<Int32> {
    let none = SIMD16<Int32>(repeating: 0)
    let found = open & swl_less_f32x16(SIMD16(repeating: 0), near)
    let isLast =
      swl_less_equal_f32x16(SIMD16(repeating: width), gap) | ~swl_greater_i32x16(left, none)
    open = open & ~(found & isLast)
    // A mask is −1 where it is set.
    left = left &+ found
    return found
  }
}

/// Whether the ends at ranges `near` and `range`, `gap` apart, are one surface that the longer beam
/// grazes.
@inline(__always)
func isSurface(
  _ near: SIMD16<Float>, _ gap: SIMD16<Float>, _ range: SIMD16<Float>, _ steepest: Float
) -> SIMD16<Int32> {
  let lead = range - near
  return swl_less_f32x16(SIMD16(repeating: 0), lead)
    & swl_less_equal_f32x16(lead, gap * steepest)
}

/// (r − q) · min(1, width / g): how far before its end a beam comes within `width` of the surface.
@inline(__always)
func cutAcross(
  _ near: SIMD16<Float>, _ gap: SIMD16<Float>, _ range: SIMD16<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let share = swl_min_f32x16(SIMD16(repeating: 1), SIMD16(repeating: settings[2]) / gap)
  return (range - near) * share
}

/// How far before its end a beam enters the layer of voxels that a level surface lies in there. The
/// surface runs straight from `nearHeight` at `near` to `height` at `range`; where it changes layers on
/// the way, the layer that counts is that of the surface below the beam.
///
/// - `upright`: 1 where the surface lies below the beam, −1 where above: the scene upside down.
@inline(__always)
func cutAlong(
  _ near: SIMD16<Float>, _ nearHeight: SIMD16<Float>, _ range: SIMD16<Float>,
  _ slope: SIMD16<Float>, _ height: SIMD16<Float>, _ upright: Float,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let base = settings[8] * upright
  let descent = 1 / (slope * upright)
  let from = nearHeight * upright + settings[6]
  let to = height * upright + settings[6]
  let fromLayer = swl_floor_f32x16(from)
  let toLayer = swl_floor_f32x16(to)
  let upper = swl_max_f32x16(fromLayer, toLayer)
  let entersUpper = ((upper + 1) - base) * descent
  let entersOwn = ((toLayer + 1) - base) * descent
  // Where the surface crosses the floor of the upper layer.
  let crosses = near + (upper - from) / (to - from) * (range - near)
  let climbing = swl_max_f32x16(entersUpper, crosses)
  let falling = swl_select_f32x16(
    swl_less_f32x16(entersUpper, crosses), entersUpper, entersOwn)
  let changing = swl_select_f32x16(swl_less_f32x16(fromLayer, toLayer), climbing, falling)
  let isOne = swl_less_equal_f32x16(swl_abs_f32x16(fromLayer - toLayer), zero)
  let end = swl_select_f32x16(isOne, entersUpper, changing)
  // A beam that does not come down on the surface leaves its own layer nowhere.
  let comesDown = swl_less_f32x16(slope * upright, zero)
  let kept = swl_select_f32x16(comesDown & swl_less_f32x16(end, range), end, range)
  return range - swl_max_f32x16(kept, zero)
}
