import CVectorShims

// A stable counting sort of points by cell rank. Every part counts a contiguous run of points in
// its own histogram; the scan turns the counts into the first slot of each (cell, part); the
// scatter then fills the slots in order. The sorted order is unique, so the number of parts does
// not show in the result.

/// Adds `count` ranks to `histogram`.
@inline(never)
public func countRanks(
  _ ranks: UnsafePointer<Int32>, _ count: Int, _ histogram: UnsafeMutablePointer<Int32>
) {
  var index = 0
  while index < count {
    let cell = Int(ranks[index])
    histogram[cell] = histogram[cell] &+ 1
    index &+= 1
  }
}

/// The points in cells `begin..<end` over `parts` histograms that lie `stride` apart.
@inline(never)
public func sumHistograms(
  _ histograms: UnsafePointer<Int32>, _ parts: Int, _ stride: Int, _ begin: Int, _ end: Int
) -> Int {
  var total = 0
  var part = 0
  while part < parts {
    let counts = histograms + part &* stride
    var sum = SIMD16<Int32>(repeating: 0)
    var cell = begin
    while cell &+ 16 <= end {
      sum = sum &+ swl_load_i32x16(counts + cell)
      cell &+= 16
    }
    var lane = 0
    while lane < 16 {
      total &+= Int(sum[lane])
      lane &+= 1
    }
    while cell < end {
      total &+= Int(counts[cell])
      cell &+= 1
    }
    part &+= 1
  }
  return total
}

/// Turns counts into first slots for cells `begin..<end`; `base` is the first slot of `begin`.
/// `starts[cell]` receives the cell's first slot.
@inline(never)
public func scanHistograms(
  _ histograms: UnsafeMutablePointer<Int32>, _ parts: Int, _ stride: Int, _ begin: Int, _ end: Int,
  _ base: Int, _ starts: UnsafeMutablePointer<Int32>
) {
  var running = Int32(base)
  var cell = begin
  while cell < end {
    starts[cell] = running
    var part = 0
    while part < parts {
      let slot = histograms + (part &* stride &+ cell)
      let count = slot.pointee
      slot.pointee = running
      running = running &+ count
      part &+= 1
    }
    cell &+= 1
  }
}

/// Writes each point into its cell's next slot: the depth index in the low half, the feature index
/// in the high half of one word, so that a point costs one scattered store here and one load in
/// the pool. Both indices grow by one per point.
@inline(never)
public func scatterPoints(
  _ ranks: UnsafePointer<Int32>, _ count: Int, _ next: UnsafeMutablePointer<Int32>,
  _ firstDepth: Int, _ firstFeature: Int, _ points: UnsafeMutablePointer<UInt64>
) {
  let feature = UInt64(truncatingIfNeeded: firstFeature)
  var point = UInt64(truncatingIfNeeded: firstDepth) | feature &<< 32
  var index = 0
  while index < count {
    let cell = Int(ranks[index])
    let slot = next[cell]
    next[cell] = slot &+ 1
    points[Int(slot)] = point
    point = point &+ 0x1_0000_0001
    index &+= 1
  }
}

/// Bit c of `masks[cell]` is set when camera c has a point in the cell. `cameraStarts` holds the
/// first depth index of each of `cameraCount` cameras and the end of the last.
///
/// Points of a cell are in ascending depth index, so the cameras come one after another: usually
/// the first and the last point belong to the same one.
@inline(never)
public func markCameras(
  _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>, _ begin: Int, _ end: Int,
  _ cameraStarts: UnsafePointer<Int32>, _ cameraCount: Int, _ masks: UnsafeMutablePointer<UInt16>
) {
  var cell = begin
  while cell < end {
    var slot = Int(starts[cell])
    let stop = Int(starts[cell &+ 1])
    var mask: UInt16 = 0
    var camera = 0
    while slot < stop {
      let depthIndex = Int32(truncatingIfNeeded: points[slot])
      while depthIndex >= cameraStarts[camera &+ 1] { camera &+= 1 }
      mask |= 1 &<< UInt16(truncatingIfNeeded: camera)
      let last = Int32(truncatingIfNeeded: points[stop &- 1])
      if last < cameraStarts[camera &+ 1] { break }
      slot &+= 1
    }
    masks[cell] = mask
    cell &+= 1
  }
}

/// `validity[cell]` is 1 where a camera of `cameras` has a point in the cell at any of `slabs`
/// heights, `cells` apart, else 0.
@inline(never)
public func markValidCells(
  _ masks: UnsafePointer<UInt16>, _ slabs: Int, _ cells: Int, _ cameras: UInt16, _ begin: Int,
  _ end: Int, _ validity: UnsafeMutablePointer<UInt8>
) {
  var cell = begin
  while cell < end {
    var seen: UInt16 = 0
    var slab = 0
    while slab < slabs {
      seen |= masks[slab &* cells &+ cell]
      slab &+= 1
    }
    validity[cell] = seen & cameras == 0 ? 0 : 1
    cell &+= 1
  }
}
