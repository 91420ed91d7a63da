// Ages of map cells in milliseconds, 65535 where there is nothing. Scalar: one pass over a few bytes
// a cell, in whole numbers, so every build gives the same.

/// The age of a camera cell is that of the oldest camera that contributes to it; a cell older than
/// `limit` loses its validity.
///
/// - masks: bit c where camera c has points in the cell.
/// - cameras: the cameras of this frame.
/// - ages: one per camera.
@inline(never)
public func ageCameraCells(
  _ masks: UnsafePointer<UInt16>, _ cameras: UInt16, _ ages: UnsafePointer<UInt16>,
  _ seen: UnsafePointer<UInt8>, _ limit: UInt16, _ lower: Int, _ upper: Int,
  _ validity: UnsafeMutablePointer<UInt8>, _ cellAges: UnsafeMutablePointer<UInt16>
) {
  var cell = lower
  while cell < upper {
    var bits = masks[cell] & cameras
    var age: UInt16 = bits == 0 ? 65_535 : 0
    while bits != 0 {
      let camera = bits.trailingZeroBitCount
      age = ages[camera] > age ? ages[camera] : age
      bits &= bits &- 1
    }
    if seen[cell] == 0 { age = 65_535 }
    cellAges[cell] = age
    validity[cell] = seen[cell] != 0 && age <= limit ? 1 : 0
    cell &+= 1
  }
}

/// One age for every valid cell of a map.
@inline(never)
public func ageUniformCells(
  _ seen: UnsafePointer<UInt8>, _ age: UInt16, _ limit: UInt16, _ lower: Int, _ upper: Int,
  _ validity: UnsafeMutablePointer<UInt8>, _ cellAges: UnsafeMutablePointer<UInt16>
) {
  let isFresh = age <= limit
  var cell = lower
  while cell < upper {
    let isSeen = seen[cell] != 0
    cellAges[cell] = isSeen ? age : 65_535
    validity[cell] = isSeen && isFresh ? 1 : 0
    cell &+= 1
  }
}

/// Ages of the previous fused map carried to the current one: the nearest cell's age plus what has
/// passed. A cell older than `limit` loses its validity.
///
/// - transform: previous cell (m0 x + m1 y + m2, m3 x + m4 y + m5) of current cell (x, y).
@inline(never)
public func ageHistoryCells(
  _ previous: UnsafePointer<UInt16>, _ width: Int, _ height: Int,
  _ transform: UnsafePointer<Double>, _ elapsed: Int, _ limit: UInt16, _ rowLower: Int,
  _ rowUpper: Int, _ validity: UnsafeMutablePointer<UInt8>,
  _ cellAges: UnsafeMutablePointer<UInt16>
) {
  var row = rowLower
  while row < rowUpper {
    let startX = transform[1] * Double(row) + transform[2] + 0.5
    let startY = transform[4] * Double(row) + transform[5] + 0.5
    var column = 0
    while column < width {
      let cell = row &* width &+ column
      let x = transform[0] * Double(column) + startX
      let y = transform[3] * Double(column) + startY
      var age: UInt16 = 65_535
      if validity[cell] != 0 && x >= 0 && y >= 0 && x < Double(width) && y < Double(height) {
        let old = Int(previous[Int(y) &* width &+ Int(x)])
        age = UInt16(truncatingIfNeeded: old == 65_535 ? old : min(old &+ elapsed, 65_534))
      }
      cellAges[cell] = age
      if age > limit { validity[cell] = 0 }
      column &+= 1
    }
    row &+= 1
  }
}

/// Takes `ages` where they are younger; cells that are not valid leave `result` as it is.
@inline(never)
public func youngerAges(
  _ validity: UnsafePointer<UInt8>, _ ages: UnsafePointer<UInt16>, _ lower: Int, _ upper: Int,
  _ result: UnsafeMutablePointer<UInt16>
) {
  var cell = lower
  while cell < upper {
    if validity[cell] != 0 && ages[cell] < result[cell] { result[cell] = ages[cell] }
    cell &+= 1
  }
}
