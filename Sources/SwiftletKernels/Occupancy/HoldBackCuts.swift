import CVectorShims

/// Eight beams: horizontal range, 0 where there is none, rise a run, and the height they end at. A
/// tuple: a structure's metadata would be weak symbols, which the kernel modules must not share.
typealias Neighbour = (range: SIMD8<Float>, slope: SIMD8<Float>, height: SIMD8<Float>)

/// How far above or below its end another beam passes.
@inline(__always)
func gapBetween(_ near: Neighbour, _ beam: Neighbour) -> SIMD8<Float> {
  swl_ray_abs_f32x8(near.slope - beam.slope) * near.range
}

/// What the neighbour `near` above or below cuts off `beam`, in `lanes`; `inverse`: 1 / its slope.
@inline(__always)
func surfaceCut(
  _ near: Neighbour, _ beam: Neighbour, _ inverse: SIMD8<Float>, _ lanes: SIMD8<Int32>,
  _ upright: Float, _ settings: UnsafePointer<Float>
) -> SIMD8<Float> {
  let zero = SIMD8<Float>(repeating: 0)
  let gap = gapBetween(near, beam)
  let surface = swl_ray_whole_i32x8(lanes & isSurface(near.range, gap, beam.range, settings[3]))
  if !swl_ray_any_i32x8(surface) { return zero }
  let isLevel = swl_ray_whole_i32x8(
    swl_ray_less_equal_f32x8(
      swl_ray_abs_f32x8(beam.height - near.height), (beam.range - near.range) * settings[7]))
  var ends = zero
  if swl_ray_any_i32x8(surface & isLevel) {
    ends = cutAlong(near, beam, inverse, surface & isLevel, upright, settings)
  }
  if swl_ray_any_i32x8(surface & ~isLevel) {
    let across = cutAcross(near.range, gap, beam.range, settings)
    ends = swl_ray_select_f32x8(isLevel, ends, across)
  }
  return swl_ray_select_f32x8(surface, ends, zero)
}

/// Whether the ends at ranges `near` and `range`, `gap` apart, are one surface that the longer beam
/// grazes.
@inline(__always)
func isSurface(
  _ near: SIMD8<Float>, _ gap: SIMD8<Float>, _ range: SIMD8<Float>, _ steepest: Float
) -> SIMD8<Int32> {
  let lead = range - near
  return swl_ray_less_f32x8(SIMD8(repeating: 0), lead)
    & swl_ray_less_equal_f32x8(lead, gap * steepest)
}

/// (r − q) · min(1, width / g): how far before its end a beam comes within `width` of the surface.
@inline(__always)
func cutAcross(
  _ near: SIMD8<Float>, _ gap: SIMD8<Float>, _ range: SIMD8<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD8<Float> {
  let share = swl_ray_min_f32x8(SIMD8(repeating: 1), SIMD8(repeating: settings[2]) / gap)
  return (range - near) * share
}

/// How far before its end a beam enters the layer of voxels that a level surface lies in there. The
/// surface runs straight from the end of `near` to that of `beam`; where it changes layers on
/// the way, the layer that counts is that of the surface below the beam.
///
/// - `upright`: 1 where the surface lies below the beam, −1 where above: the scene upside down.
@inline(__always)
func cutAlong(
  _ near: Neighbour, _ beam: Neighbour, _ inverse: SIMD8<Float>, _ lanes: SIMD8<Int32>,
  _ upright: Float, _ settings: UnsafePointer<Float>
) -> SIMD8<Float> {
  let zero = SIMD8<Float>(repeating: 0)
  let base = settings[8] * upright
  let fall = beam.slope * upright
  let descent = inverse * upright
  let margin = swl_ray_abs_f32x8(beam.slope) * settings[10] + settings[6]
  let from = near.height * upright + margin
  let to = beam.height * upright + margin
  let fromLayer = swl_ray_floor_f32x8(from)
  let toLayer = swl_ray_floor_f32x8(to)
  let upper = swl_ray_max_f32x8(fromLayer, toLayer)
  var end = ((upper + 1) - base) * descent
  let isOne = swl_ray_whole_i32x8(
    swl_ray_less_equal_f32x8(swl_ray_abs_f32x8(fromLayer - toLayer), zero))
  if swl_ray_any_i32x8(lanes & ~isOne) {
    let entersOwn = ((toLayer + 1) - base) * descent
    // Where the surface crosses the floor of the upper layer.
    let crosses = near.range + (upper - from) / (to - from) * (beam.range - near.range)
    let climbing = swl_ray_max_f32x8(end, crosses)
    let falling = swl_ray_select_f32x8(swl_ray_less_f32x8(end, crosses), end, entersOwn)
    let changing = swl_ray_select_f32x8(swl_ray_less_f32x8(fromLayer, toLayer), climbing, falling)
    end = swl_ray_select_f32x8(isOne, end, changing)
  }
  // A beam that does not come down on the surface leaves its own layer nowhere.
  let isCut = swl_ray_less_f32x8(fall, zero) & swl_ray_less_f32x8(end, beam.range)
  return beam.range - swl_ray_max_f32x8(swl_ray_select_f32x8(isCut, end, beam.range), zero)
}
