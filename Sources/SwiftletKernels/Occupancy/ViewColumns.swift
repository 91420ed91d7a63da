/// Marks the cells where rays end and, for each of `sectorCount` sectors around the origin, the
/// lowest and highest slope of its rays.
///
/// Points as in `markViewRays`; `layout[4]` is the number of sectors, equal parts of y / (|x| + |y|)
/// and its continuation around the circle.
///
/// - `hits`: [x][y] bits, or-ed. `sectors`: [sector][lowest, highest].
@inline(never)
public func markViewHits(
  _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ first: Int, _ last: Int, _ parameters: UnsafePointer<Float>, _ layout: UnsafePointer<Int32>,
  _ hits: UnsafeMutablePointer<UInt32>, _ sectors: UnsafeMutablePointer<Float>
) {
  let m = parameters
  let sectorCount = layout[4]
  var ray = first
  while ray < last {
    let record = base + ray &* stride
    let x = record.loadUnaligned(fromByteOffset: xOffset, as: Float.self)
    let y = record.loadUnaligned(fromByteOffset: yOffset, as: Float.self)
    let z = record.loadUnaligned(fromByteOffset: zOffset, as: Float.self)
    let vx = (x * m[0] + y * m[1]) + z * m[2]
    let vy = (x * m[3] + y * m[4]) + z * m[5]
    let vz = (x * m[6] + y * m[7]) + z * m[8]
    let length = ((vx * vx + vy * vy) + vz * vz).squareRoot()
    ray &+= 1
    // Written so that NaN fails.
    if !(length > 0 && length < 1e6) { continue }
    let away = (vx * vx + vy * vy).squareRoot()
    if away > 0 {
      let sector = 2 &* Int(viewSector(vx, vy, sectorCount))
      let slope = vz / away
      if slope < sectors[sector] { sectors[sector] = slope }
      if slope > sectors[sector &+ 1] { sectors[sector &+ 1] = slope }
    }
    if length > m[12] { continue }
    let (px, py, pz) = (m[9] + vx, m[10] + vy, m[11] + vz)
    let isInside =
      px >= 0 && px < Float(layout[0]) && py >= 0 && py < Float(layout[1]) && pz >= 0
      && pz < Float(layout[2])
    if isInside { hits[Int(px) &* Int(layout[1]) &+ Int(py)] |= 1 &<< UInt32(pz) }
  }
}

/// The sector of a direction, by a pseudo-angle that needs no arc tangent.
@inline(__always)
private func viewSector(_ x: Float, _ y: Float, _ count: Int32) -> Int32 {
  let share = y / (abs(x) + abs(y))
  let turn = x < 0 ? 2 - share : share
  let sector = Int32((turn + 1) * 0.25 * Float(count))
  return sector >= count ? sector &- count : sector
}

/// Cells whose middle lies between the lowest and the highest ray of their sector, columns x in
/// `first..<last`. `field`: [x][y] bits, written.
@inline(never)
public func fillViewSectors(
  _ parameters: UnsafePointer<Float>, _ layout: UnsafePointer<Int32>,
  _ sectors: UnsafePointer<Float>, _ first: Int, _ last: Int,
  _ field: UnsafeMutablePointer<UInt32>
) {
  let (ox, oy, oz) = (parameters[9], parameters[10], parameters[11])
  let rows = Int(layout[1])
  let height = layout[2]
  var x = first
  while x < last {
    var y = 0
    while y < rows {
      let vx = (Float(x) + 0.5) - ox
      let vy = (Float(y) + 0.5) - oy
      let away = (vx * vx + vy * vy).squareRoot()
      var bits: UInt32 = 0
      if away > 0 && away <= parameters[12] {
        let sector = 2 &* Int(viewSector(vx, vy, layout[4]))
        let (low, high) = (sectors[sector], sectors[sector &+ 1])
        if low <= high {
          let bottom = oz + low * away
          let top = oz + high * away
          var z: Int32 = 0
          while z < height {
            let middle = Float(z) + 0.5
            if middle >= bottom && middle <= top { bits |= 1 &<< UInt32(z) }
            z &+= 1
          }
        }
      }
      field[x &* rows &+ y] = bits
      y &+= 1
    }
    x &+= 1
  }
}

/// Marks the cells that hold a sample of an occupied voxel of the window: `samples` an axis, evenly
/// inside it.
///
/// - `window`: cells x, y, z, words a column, slots of the first column x, y (six).
/// - `map`: cell from window voxel, rows of [R | t].
/// - rows `first..<last` of the window; `columns`: [x][y] bits, or-ed.
@inline(never)
public func splatViewColumns(
  _ occupied: UnsafePointer<UInt64>, _ window: UnsafePointer<Int>, _ map: UnsafePointer<Double>,
  _ layout: UnsafePointer<Int32>, _ samples: Int, _ first: Int, _ last: Int,
  _ columns: UnsafeMutablePointer<UInt32>
) {
  let (nx, ny, nz) = (Double(layout[0]), Double(layout[1]), Double(layout[2]))
  let rows = Int(layout[1])
  let step = 1 / Double(samples)
  var y = first
  while y < last {
    var slotY = y &+ window[5]
    if slotY >= window[1] { slotY &-= window[1] }
    var x = 0
    while x < window[0] {
      var slotX = x &+ window[4]
      if slotX >= window[0] { slotX &-= window[0] }
      let line = (slotY &* window[0] &+ slotX) &* window[3]
      var word = 0
      while word < window[3] {
        var bits = occupied[line &+ word]
        while bits != 0 {
          let z = 64 &* word &+ bits.trailingZeroBitCount
          bits &= bits &- 1
          var sample = 0
          while sample < samples &* samples &* samples {
            let fx = Double(x) + (Double(sample % samples) + 0.5) * step
            let fy = Double(y) + (Double(sample / samples % samples) + 0.5) * step
            let fz = Double(z) + (Double(sample / samples / samples) + 0.5) * step
            let px = ((map[0] * fx + map[1] * fy) + map[2] * fz) + map[3]
            let py = ((map[4] * fx + map[5] * fy) + map[6] * fz) + map[7]
            let pz = ((map[8] * fx + map[9] * fy) + map[10] * fz) + map[11]
            let isInside = px >= 0 && px < nx && py >= 0 && py < ny && pz >= 0 && pz < nz
            if isInside { columns[Int(px) &* rows &+ Int(py)] |= 1 &<< UInt32(pz) }
            sample &+= 1
          }
        }
        word &+= 1
      }
      x &+= 1
    }
    y &+= 1
  }
}

/// Sets the bits of cells whose middle lies in a known voxel of the window, columns x in
/// `first..<last`. `map`: window voxel from cell, rows of [R | t]. `columns`: written.
@inline(never)
public func sampleViewColumns(
  _ known: UnsafePointer<UInt64>, _ window: UnsafePointer<Int>, _ map: UnsafePointer<Double>,
  _ layout: UnsafePointer<Int32>, _ first: Int, _ last: Int,
  _ columns: UnsafeMutablePointer<UInt32>
) {
  let rows = Int(layout[1])
  let (wx, wy, wz) = (Double(window[0]), Double(window[1]), Double(window[2]))
  var x = first
  while x < last {
    var y = 0
    while y < rows {
      let (fx, fy) = (Double(x) + 0.5, Double(y) + 0.5)
      let bx = map[0] * fx + map[1] * fy
      let by = map[4] * fx + map[5] * fy
      let bz = map[8] * fx + map[9] * fy
      var bits: UInt32 = 0
      var z: Int32 = 0
      while z < layout[2] {
        let fz = Double(z) + 0.5
        let px = (bx + map[2] * fz) + map[3]
        let py = (by + map[6] * fz) + map[7]
        let pz = (bz + map[10] * fz) + map[11]
        if px >= 0 && px < wx && py >= 0 && py < wy && pz >= 0 && pz < wz {
          var slotX = Int(px) &+ window[4]
          if slotX >= window[0] { slotX &-= window[0] }
          var slotY = Int(py) &+ window[5]
          if slotY >= window[1] { slotY &-= window[1] }
          let height = Int(pz)
          let line = (slotY &* window[0] &+ slotX) &* window[3] &+ height &>> 6
          bits |= UInt32(truncatingIfNeeded: known[line] &>> UInt64(height & 63) & 1) &<< UInt32(z)
        }
        z &+= 1
      }
      columns[x &* rows &+ y] = bits
      y &+= 1
    }
    x &+= 1
  }
}

/// Ors `partCount` planes `partStride` words apart into `target` (columns `first..<last`) and clears
/// them.
@inline(never)
public func mergeViewColumns(
  _ parts: UnsafeMutablePointer<UInt32>, _ partCount: Int, _ partStride: Int, _ first: Int,
  _ last: Int, _ target: UnsafeMutablePointer<UInt32>
) {
  var column = first
  while column < last {
    var bits = target[column]
    var part = 0
    while part < partCount {
      bits |= parts[column &+ part &* partStride]
      parts[column &+ part &* partStride] = 0
      part &+= 1
    }
    target[column] = bits
    column &+= 1
  }
}

/// Writes one byte a cell, [x][y][z]: `setValue` where the bit of `set` is set, else `otherValue`
/// where that of `other` is, else 0. Columns `first..<last`.
@inline(never)
public func expandViewColumns(
  _ set: UnsafePointer<UInt32>, _ other: UnsafePointer<UInt32>, _ height: Int, _ setValue: UInt8,
  _ otherValue: UInt8, _ first: Int, _ last: Int, _ bytes: UnsafeMutablePointer<UInt8>
) {
  var column = first
  while column < last {
    let (a, b) = (set[column], other[column])
    var z = 0
    while z < height {
      let isSet = UInt8(truncatingIfNeeded: a &>> UInt32(z) & 1)
      let isOther = UInt8(truncatingIfNeeded: b &>> UInt32(z) & 1) & (isSet ^ 1)
      bytes[column &* height &+ z] = isSet &* setValue &+ isOther &* otherValue
      z &+= 1
    }
    column &+= 1
  }
}
