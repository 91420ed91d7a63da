/// First hits of rays `first ..< last` in a rolling window of bit planes.
///
/// The rays of a column are answered at once: the heights between a ray's entry into a column and
/// its exit are one mask over the column's word, so the walk is two-dimensional. Crossings are
/// (border − origin) · (1 / direction) in float64, never summed up, ties go to z before y before x:
/// the voxels are those of a walk from voxel to voxel, whatever the instruction set.
///
/// - layout: cells x, y, z; words a column; slot of the first column x, y; key of the first voxel.
/// - origin: x, y, z in voxels from the window's corner; the limit in voxels; metres a voxel.
/// - directions: [ray][3], of any length.
/// - out: metres; states (0 range reached, 1 occupied, 2 unknown, 3 left the window, 4 no
///   direction); voxel keys [ray][3].
@inline(never)
public func castWindowRays(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ layout: UnsafePointer<Int>,
  _ origin: UnsafePointer<Double>, _ directions: UnsafePointer<Float>, _ first: Int, _ last: Int,
  _ unknownStops: UInt64, _ distances: UnsafeMutablePointer<Float>,
  _ states: UnsafeMutablePointer<UInt8>, _ voxels: UnsafeMutablePointer<Int32>
) {
  var ray = first
  while ray < last {
    castWindowRay(
      occupied, known, layout, origin, directions + 3 &* ray, unknownStops, distances + ray,
      states + ray, voxels + 3 &* ray)
    ray &+= 1
  }
}

@inline(__always)
private func castWindowRay(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ layout: UnsafePointer<Int>,
  _ origin: UnsafePointer<Double>, _ direction: UnsafePointer<Float>, _ unknownStops: UInt64,
  _ distance: UnsafeMutablePointer<Float>, _ state: UnsafeMutablePointer<UInt8>,
  _ voxel: UnsafeMutablePointer<Int32>
) {
  let (cellsX, cellsY, cellsZ, words) = (layout[0], layout[1], layout[2], layout[3])
  let (ox, oy, oz, limit) = (origin[0], origin[1], origin[2], origin[3])
  let rx = Double(direction[0])
  let ry = Double(direction[1])
  let rz = Double(direction[2])
  let length = (rx * rx + ry * ry + rz * rz).squareRoot()
  var x = floorOf(ox)
  var y = floorOf(oy)
  var z = floorOf(oz)
  var entry = 0.0
  var found: UInt8 = 0
  if !(length > 0 && length < .infinity) {
    found = 4
  } else {
    let (dx, dy, dz) = (rx / length, ry / length, rz / length)
    let (stepX, stepY, stepZ) = (stepOf(dx), stepOf(dy), stepOf(dz))
    let (inverseX, inverseY, inverseZ) = (1 / dx, 1 / dy, 1 / dz)
    var tx = crossing(x, stepX, ox, inverseX)
    var ty = crossing(y, stepY, oy, inverseY)
    let upward = stepZ > 0 ? 0 : 1
    while true {
      if hasLeft(x, cellsX, stepX) || hasLeft(y, cellsY, stepY) || hasLeft(z, cellsZ, stepZ) {
        found = 3
        break
      }
      let exit = tx < ty ? tx : ty
      let until = exit < limit ? exit : limit
      let end = heightAt(until, z, stepZ, oz, dz, inverseZ)
      if x >= 0, x < cellsX, y >= 0, y < cellsY {
        var slotX = x &+ layout[4]
        if slotX >= cellsX { slotX &-= cellsX }
        var slotY = y &+ layout[5]
        if slotY >= cellsY { slotY &-= cellsY }
        let line = (slotY &* cellsX &+ slotX) &* words
        let hit = firstBit(occupied, known, line, unknownStops, z, end, cellsZ, stepZ)
        if hit >= 0 {
          if hit != z {
            entry = (Double(hit &+ upward) - oz) * inverseZ
            z = hit
          }
          let isOccupied = occupied[line &+ hit &>> 6] &>> UInt64(hit & 63) & 1
          found = isOccupied == 1 ? 1 : 2
          break
        }
      }
      let leaves = stepZ > 0 ? end >= cellsZ : end < 0 && stepZ < 0
      if leaves {
        let border = stepZ > 0 ? cellsZ : 0
        entry = (Double(border) - oz) * inverseZ
        z = stepZ > 0 ? cellsZ : -1
        found = 3
        break
      }
      z = end
      if exit > limit {
        entry = limit
        break
      }
      entry = exit
      if ty <= tx {
        y &+= stepY
        ty = crossing(y, stepY, oy, inverseY)
      } else {
        x &+= stepX
        tx = crossing(x, stepX, ox, inverseX)
      }
    }
  }
  distance[0] = Float(entry * origin[4])
  state[0] = found
  voxel[0] = Int32(truncatingIfNeeded: x &+ layout[6])
  voxel[1] = Int32(truncatingIfNeeded: y &+ layout[7])
  voxel[2] = Int32(truncatingIfNeeded: z &+ layout[8])
}

/// Truncation corrected downward: `.rounded(.down)` is a libm call on the oldest x86.
@inline(__always)
func floorOf(_ value: Double) -> Int {
  let whole = Int(value)
  return Double(whole) > value ? whole &- 1 : whole
}
/// Directions below 1e-12 never cross a border within any range allowed.
@inline(__always)
func stepOf(_ direction: Double) -> Int {
  direction > 1e-12 ? 1 : direction < -1e-12 ? -1 : 0
}
@inline(__always)
func crossing(_ voxel: Int, _ step: Int, _ origin: Double, _ inverse: Double) -> Double {
  if step == 0 { return .greatestFiniteMagnitude }
  return (Double(step > 0 ? voxel &+ 1 : voxel) - origin) * inverse
}
@inline(__always)
func hasLeft(_ voxel: Int, _ cells: Int, _ step: Int) -> Bool {
  (voxel < 0 && step <= 0) || (voxel >= cells && step >= 0)
}

/// The height of the ray when it is `until` along: the last voxel whose border it crossed by then.
/// The estimate by multiplication is corrected with the crossings themselves.
@inline(__always)
func heightAt(
  _ until: Double, _ z: Int, _ step: Int, _ origin: Double, _ direction: Double,
  _ inverse: Double
) -> Int {
  if step == 0 { return z }
  var end = Int(origin + direction * until)
  if step > 0 {
    while (Double(end &+ 1) - origin) * inverse <= until { end &+= 1 }
    while end > z, (Double(end) - origin) * inverse > until { end &-= 1 }
    return end > z ? end : z
  }
  while (Double(end) - origin) * inverse <= until { end &-= 1 }
  while end < z, (Double(end &+ 1) - origin) * inverse > until { end &+= 1 }
  return end < z ? end : z
}

/// The first stopping height from `z` to `end` inside the window; −1 for none.
@inline(__always)
private func firstBit(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ line: Int,
  _ unknownStops: UInt64, _ z: Int, _ end: Int, _ cells: Int, _ step: Int
) -> Int {
  var low = z < end ? z : end
  var high = z < end ? end : z
  if low < 0 { low = 0 }
  if high >= cells { high = cells &- 1 }
  if low > high { return -1 }
  let isRising = step >= 0
  var word = isRising ? low &>> 6 : high &>> 6
  let lastWord = isRising ? high &>> 6 : low &>> 6
  while true {
    var bits = occupied[line &+ word] | (~known[line &+ word] & unknownStops)
    if word == low &>> 6 { bits &= UInt64.max &<< UInt64(low & 63) }
    if word == high &>> 6 { bits &= UInt64.max &>> UInt64(63 &- (high & 63)) }
    if bits != 0 {
      let bit = isRising ? bits.trailingZeroBitCount : 63 &- bits.leadingZeroBitCount
      return word &* 64 &+ bit
    }
    if word == lastWord { return -1 }
    word &+= isRising ? 1 : -1
  }
}
