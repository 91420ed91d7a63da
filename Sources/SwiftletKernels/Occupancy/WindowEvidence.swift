/// Drops the points inside a box of the ego frame, in place and in order, and returns how many stay.
///
/// `matrix` is ego from LiDAR [R | t], 12 doubles; `box` the lower corner then the upper, bounds
/// included. Points that are not finite stay, to be counted later.
@inline(never)
public func dropPointsInBox(
  _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ count: Int, _ matrix: UnsafePointer<Double>, _ box: UnsafePointer<Double>,
  _ worldX: UnsafeMutablePointer<Float>, _ worldY: UnsafeMutablePointer<Float>,
  _ worldZ: UnsafeMutablePointer<Float>
) -> Int {
  var kept = 0
  var index = 0
  while index < count {
    let record = base + index &* stride
    let x = Double(record.loadUnaligned(fromByteOffset: xOffset, as: Float.self))
    let y = Double(record.loadUnaligned(fromByteOffset: yOffset, as: Float.self))
    let z = Double(record.loadUnaligned(fromByteOffset: zOffset, as: Float.self))
    let ex = (x * matrix[0] + y * matrix[1]) + z * matrix[2] + matrix[3]
    let ey = (x * matrix[4] + y * matrix[5]) + z * matrix[6] + matrix[7]
    let ez = (x * matrix[8] + y * matrix[9]) + z * matrix[10] + matrix[11]
    let insideX = ex >= box[0] && ex <= box[3]
    let insideY = ey >= box[1] && ey <= box[4]
    let insideZ = ez >= box[2] && ez <= box[5]
    worldX[kept] = worldX[index]
    worldY[kept] = worldY[index]
    worldZ[kept] = worldZ[index]
    kept &+= insideX && insideY && insideZ ? 0 : 1
    index &+= 1
  }
  return kept
}

/// Ors a scan's bit volume into the window's masks where the two overlap, for window rows
/// `firstRow..<lastRow`. Both have z words on the same borders.
///
/// `volume` and `window`: key of the first voxel x, y, z; columns in x, rows in y, words a column.
@inline(never)
public func gatherWindow(
  _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int,
  _ hits: UnsafePointer<UInt64>, _ volume: UnsafePointer<Int32>,
  _ window: UnsafePointer<Int32>, _ firstRow: Int, _ lastRow: Int,
  _ windowFree: UnsafeMutablePointer<UInt64>, _ windowHits: UnsafeMutablePointer<UInt64>
) {
  let shiftX = Int(window[0]) &- Int(volume[0])
  let shiftY = Int(window[1]) &- Int(volume[1])
  let shiftWord = (Int(window[2]) &- Int(volume[2])) >> 6
  let words = Int(window[5])
  let volumeWords = Int(volume[5])
  let firstColumn = max(0, 0 &- shiftX)
  let lastColumn = min(Int(window[3]), Int(volume[3]) &- shiftX)
  let firstWord = max(0, 0 &- shiftWord)
  let lastWord = min(words, volumeWords &- shiftWord)
  var row = max(firstRow, 0 &- shiftY)
  let endRow = min(lastRow, Int(volume[4]) &- shiftY)
  while row < endRow {
    let volumeRow = (row &+ shiftY) &* Int(volume[3])
    let windowRow = row &* Int(window[3])
    var column = firstColumn
    while column < lastColumn {
      let source = (volumeRow &+ column &+ shiftX) &* volumeWords &+ shiftWord
      let target = (windowRow &+ column) &* words
      var word = firstWord
      while word < lastWord {
        var miss = free[source &+ word]
        var part = 1
        while part < partCount {
          miss |= free[source &+ word &+ part &* partStride]
          part &+= 1
        }
        windowFree[target &+ word] |= miss
        windowHits[target &+ word] |= hits[source &+ word]
        word &+= 1
      }
      column &+= 1
    }
    row &+= 1
  }
}
