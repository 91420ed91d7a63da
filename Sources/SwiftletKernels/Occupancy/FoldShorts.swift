import CVectorShims

/// Folds one row of scan evidence into a row of int16 log-odds lines, keeps the int8 lines and the
/// bit planes equal to them, and clears the evidence. The rule is `foldBytes`'.
///
/// - `free`, `hits`, columns, words, `masks`, `occupied`, `known`, `totals`: as in `foldBytes`.
/// - `values`: the int16 lines, -32768 unknown; `lines`: their int8 twins.
/// - `model`: hit, miss, minimum, maximum, threshold in int16 steps; `scale`: int8 steps a step.
@inline(never)
public func foldShorts(
  _ free: UnsafeMutablePointer<UInt64>, _ partCount: Int, _ partStride: Int,
  _ hits: UnsafeMutablePointer<UInt64>, _ columnCount: Int, _ wordCount: Int,
  _ masks: UnsafePointer<UInt64>, _ values: UnsafeMutablePointer<Int16>,
  _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
  _ known: UnsafeMutablePointer<UInt64>, _ model: UnsafePointer<Int16>, _ scale: Float,
  _ totals: UnsafeMutablePointer<Int>
) {
  var word = 0
  let wordTotal = columnCount &* wordCount
  while word < wordTotal {
    let mask = masks[word % wordCount]
    let hit = hits[word] & mask
    var miss = free[word]
    var part = 1
    while part < partCount {
      miss |= free[word &+ part &* partStride]
      part &+= 1
    }
    miss &= mask & ~hit
    if hit | miss != 0 {
      let place = word &* 64
      let low = foldHalf(
        UInt32(truncatingIfNeeded: hit), UInt32(truncatingIfNeeded: miss), values + place,
        lines + place, model, scale)
      let high = foldHalf(
        UInt32(truncatingIfNeeded: hit &>> 32), UInt32(truncatingIfNeeded: miss &>> 32),
        values + (place &+ 32), lines + (place &+ 32), model, scale)
      known[word] |= hit | miss
      occupied[word] = (UInt64(low) | UInt64(high) &<< 32) & known[word]
      totals[0] &+= miss.nonzeroBitCount
      totals[1] &+= hit.nonzeroBitCount
      hits[word] = 0
      part = 0
      while part < partCount {
        free[word &+ part &* partStride] = 0
        part &+= 1
      }
    }
    word &+= 1
  }
}

/// Updates 32 voxels; returns which are at or above the threshold.
@inline(__always)
private func foldHalf(
  _ hit: UInt32, _ miss: UInt32, _ values: UnsafeMutablePointer<Int16>,
  _ lines: UnsafeMutablePointer<Int8>, _ model: UnsafePointer<Int16>, _ scale: Float
) -> UInt32 {
  let old = swl_field_load_i16x32(values)
  let isUnknown = swl_exact_equal_i16x32(old, swl_field_splat_i16x32(-32768))
  let base = swl_exact_select_i16x32(isUnknown, swl_field_splat_i16x32(0), old)
  let raised = swl_field_min_i16x32(
    swl_field_adds_i16x32(base, swl_field_splat_i16x32(model[0])),
    swl_field_splat_i16x32(model[3]))
  let lowered = swl_exact_max_i16x32(
    swl_field_adds_i16x32(base, swl_field_splat_i16x32(model[1])),
    swl_field_splat_i16x32(model[2]))
  let afterMiss = swl_exact_select_i16x32(swl_exact_lanes_from_bits_i16x32(miss), lowered, old)
  let new = swl_exact_select_i16x32(swl_exact_lanes_from_bits_i16x32(hit), raised, afterMiss)
  swl_field_store_i16x32(values, new)
  swl_exact_store_bytes(lines, new, scale, swl_exact_lanes_from_bits_i16x32(hit | miss))
  return swl_exact_bits_i16x32(
    swl_exact_at_least_i16x32(new, swl_field_splat_i16x32(model[4])))
}
