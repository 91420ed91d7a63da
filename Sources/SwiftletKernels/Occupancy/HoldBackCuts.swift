import CVectorShims

/// Sixteen beams: horizontal range, 0 where there is none, and rise a run. A tuple: a structure's
/// metadata would be weak symbols, which the kernel modules must not share.
typealias Neighbour = (range: SIMD16<Float>, slope: SIMD16<Float>)

/// `other` in `lanes`, else `own`.
@inline(__always)
func selectNeighbour(
  _ lanes: SIMD16<Int32>, _ other: Neighbour, _ own: Neighbour
) -> Neighbour {
  (
    swl_select_f32x16(lanes, other.range, own.range),
    swl_select_f32x16(lanes, other.slope, own.slope)
  )
}

/// How far above or below its end another beam passes.
@inline(__always)
func gapBetween(_ near: Neighbour, _ beam: Neighbour) -> SIMD16<Float> {
  swl_abs_f32x16(near.slope - beam.slope) * near.range
}

/// What the neighbour `near` above or below cuts off `beam`, in `lanes`.
@inline(__always)
func surfaceCut(
  _ near: Neighbour, _ beam: Neighbour, _ lanes: SIMD16<Int32>, _ upright: Float,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let gap = gapBetween(near, beam)
  let surface = lanes & isSurface(near.range, gap, beam.range, settings[3])
  if swl_mask_bits_i32x16(surface) == 0 { return zero }
  let from = near.slope * near.range + settings[8]
  let to = beam.slope * beam.range + settings[8]
  let isLevel = swl_less_equal_f32x16(
    swl_abs_f32x16(to - from), (beam.range - near.range) * settings[7])
  var ends = zero
  if swl_mask_bits_i32x16(surface & isLevel) != 0 {
    ends = cutAlong(near.range, from, beam, to, surface & isLevel, upright, settings)
  }
  if swl_mask_bits_i32x16(surface & ~isLevel) != 0 {
    let across = cutAcross(near.range, gap, beam.range, settings)
    ends = swl_select_f32x16(isLevel, ends, across)
  }
  return swl_select_f32x16(surface, ends, zero)
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
  _ near: SIMD16<Float>, _ nearHeight: SIMD16<Float>, _ beam: Neighbour,
  _ height: SIMD16<Float>, _ lanes: SIMD16<Int32>, _ upright: Float,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let base = settings[8] * upright
  let fall = beam.slope * upright
  let descent = 1 / fall
  let margin = swl_abs_f32x16(beam.slope) * settings[10] + settings[6]
  let from = nearHeight * upright + margin
  let to = height * upright + margin
  let fromLayer = swl_floor_f32x16(from)
  let toLayer = swl_floor_f32x16(to)
  let upper = swl_max_f32x16(fromLayer, toLayer)
  var end = ((upper + 1) - base) * descent
  let isOne = swl_less_equal_f32x16(swl_abs_f32x16(fromLayer - toLayer), zero)
  if swl_mask_bits_i32x16(lanes & ~isOne) != 0 {
    let entersOwn = ((toLayer + 1) - base) * descent
    // Where the surface crosses the floor of the upper layer.
    let crosses = near + (upper - from) / (to - from) * (beam.range - near)
    let climbing = swl_max_f32x16(end, crosses)
    let falling = swl_select_f32x16(swl_less_f32x16(end, crosses), end, entersOwn)
    let changing = swl_select_f32x16(swl_less_f32x16(fromLayer, toLayer), climbing, falling)
    end = swl_select_f32x16(isOne, end, changing)
  }
  // A beam that does not come down on the surface leaves its own layer nowhere.
  let isCut = swl_less_f32x16(fall, zero) & swl_less_f32x16(end, beam.range)
  return beam.range - swl_max_f32x16(swl_select_f32x16(isCut, end, beam.range), zero)
}
