import CVectorShims

/// One row of a coarser level of the max / min pyramid: every cell is the largest and the smallest
/// of the 2 × 2 × 2 finer cells below it. −128 is unknown, the smallest of all, so a maximum of
/// −128 says all unknown and a minimum of −128 says some unknown; cells outside are unknown.
///
/// - sources: four row pointers, maxima of the two finer rows, then minima of the two; rows outside
///   are `blank` rows (see `strides[0]` = 0).
/// - layout: finer columns; first finer column under coarse column 0 (0 or −1); finer heights, a
///   multiple of 64; first finer height under coarse height 0 (0 or −1); coarse columns; coarse
///   heights, a multiple of 64; slot of finer column 0.
/// - blank: finer heights of −128. scratch: 2 · (finer heights + 128) bytes.
@inline(never)
public func reducePyramidRow(
  _ upper0: UnsafePointer<Int8>, _ upper1: UnsafePointer<Int8>, _ lower0: UnsafePointer<Int8>,
  _ lower1: UnsafePointer<Int8>, _ has0: Int, _ has1: Int, _ layout: UnsafePointer<Int>,
  _ blank: UnsafePointer<Int8>, _ scratch: UnsafeMutablePointer<Int8>,
  _ maximum: UnsafeMutablePointer<Int8>, _ minimum: UnsafeMutablePointer<Int8>
) {
  let (columns, firstColumn, height) = (layout[0], layout[1], layout[2])
  let (shift, coarseColumns, coarseHeight) = (-layout[3], layout[4], layout[5])
  let unknown = SIMD64<Int8>(repeating: -128)
  let tall = scratch + 64
  let low = tall + (height &+ 128)
  swl_store_i8x64(tall + height, unknown)
  swl_store_i8x64(low + height, unknown)
  swl_store_i8x64(tall - 64, unknown)
  swl_store_i8x64(low - 64, unknown)
  var x = 0
  while x < coarseColumns {
    let left = 2 &* x &+ firstColumn
    let hasLeft = left >= 0
    let hasRight = left &+ 1 < columns
    let a = wrappedSlot(left, layout) &* height
    let b = wrappedSlot(left &+ 1, layout) &* height
    var z = 0
    while z < height {
      var high = unknown
      var small = SIMD64<Int8>(repeating: 127)
      let p0 = hasLeft && has0 != 0 ? upper0 + a : blank
      let p1 = hasRight && has0 != 0 ? upper0 + b : blank
      let p2 = hasLeft && has1 != 0 ? upper1 + a : blank
      let p3 = hasRight && has1 != 0 ? upper1 + b : blank
      high = swl_max_i8x64(
        swl_max_i8x64(swl_load_i8x64(p0 + z), swl_load_i8x64(p1 + z)),
        swl_max_i8x64(swl_load_i8x64(p2 + z), swl_load_i8x64(p3 + z)))
      let q0 = hasLeft && has0 != 0 ? lower0 + a : blank
      let q1 = hasRight && has0 != 0 ? lower0 + b : blank
      let q2 = hasLeft && has1 != 0 ? lower1 + a : blank
      let q3 = hasRight && has1 != 0 ? lower1 + b : blank
      small = swl_min_i8x64(
        swl_min_i8x64(swl_load_i8x64(q0 + z), swl_load_i8x64(q1 + z)),
        swl_min_i8x64(swl_load_i8x64(q2 + z), swl_load_i8x64(q3 + z)))
      swl_store_i8x64(tall + z, high)
      swl_store_i8x64(low + z, small)
      z &+= 64
    }
    let target = x &* coarseHeight
    var out = 0
    while out < coarseHeight {
      let source = 2 &* out &- shift
      if source < height {
        swl_pyramid_store_pair_max(maximum + (target &+ out), swl_load_i8x64(tall + source))
        swl_pyramid_store_pair_min(minimum + (target &+ out), swl_load_i8x64(low + source))
      }
      out &+= 32
    }
    x &+= 1
  }
}

@inline(__always)
private func wrappedSlot(_ column: Int, _ layout: UnsafePointer<Int>) -> Int {
  let slot = column &+ layout[6]
  return slot >= layout[0] ? slot &- layout[0] : slot
}
