/// Connected components of a bit volume [y][x][word], 26 neighbours: vertical runs of set bits are
/// joined by union-find (the smaller index becomes the root, so labels do not depend on anything
/// but the bits), as in Wu, Otoo and Suzuki's run-based labelling.
///
/// - out starts: first run of every column, and after the last. lows, highs: heights of each run.
///   parents: root of each run. Returns the number of runs, or −1 when `capacity` is too small.
@inline(never)
public func labelRuns(
  _ bits: UnsafePointer<UInt64>, _ columns: Int, _ rows: Int, _ words: Int, _ capacity: Int,
  _ starts: UnsafeMutablePointer<Int32>, _ lows: UnsafeMutablePointer<Int16>,
  _ highs: UnsafeMutablePointer<Int16>, _ parents: UnsafeMutablePointer<Int32>
) -> Int {
  var count = 0
  var y = 0
  while y < rows {
    var x = 0
    while x < columns {
      let column = y &* columns &+ x
      starts[column] = Int32(truncatingIfNeeded: count)
      let added = appendRuns(bits + column &* words, words, capacity, count, lows, highs, parents)
      if added < 0 { return -1 }
      if added > 0 {
        starts[column &+ 1] = Int32(truncatingIfNeeded: count &+ added)
        if x > 0 { joinRuns(column, column &- 1, starts, lows, highs, parents) }
        if y > 0 {
          let above = column &- columns
          if x > 0 { joinRuns(column, above &- 1, starts, lows, highs, parents) }
          joinRuns(column, above, starts, lows, highs, parents)
          if x &+ 1 < columns { joinRuns(column, above &+ 1, starts, lows, highs, parents) }
        }
        count &+= added
      }
      x &+= 1
    }
    y &+= 1
  }
  starts[rows &* columns] = Int32(truncatingIfNeeded: count)
  var run = 0
  while run < count {
    parents[run] = rootOf(Int32(truncatingIfNeeded: run), parents)
    run &+= 1
  }
  return count
}

@inline(__always)
private func appendRuns(
  _ bits: UnsafePointer<UInt64>, _ words: Int, _ capacity: Int, _ first: Int,
  _ lows: UnsafeMutablePointer<Int16>, _ highs: UnsafeMutablePointer<Int16>,
  _ parents: UnsafeMutablePointer<Int32>
) -> Int {
  var count = first
  var word = 0
  while word < words {
    var rest = bits[word]
    while rest != 0 {
      let low = rest.trailingZeroBitCount
      let filled = rest | ((1 &<< UInt64(low)) &- 1)
      // Ones from bit 0 on: up to the run's end.
      let length = (~filled).trailingZeroBitCount
      rest = length >= 64 ? 0 : rest & (UInt64.max &<< UInt64(length))
      let bottom = Int16(truncatingIfNeeded: word &* 64 &+ low)
      let top = Int16(truncatingIfNeeded: word &* 64 &+ length &- 1)
      if count > first, highs[count &- 1] &+ 1 == bottom {
        highs[count &- 1] = top
      } else {
        if count >= capacity { return -1 }
        lows[count] = bottom
        highs[count] = top
        parents[count] = Int32(truncatingIfNeeded: count)
        count &+= 1
      }
    }
    word &+= 1
  }
  return count &- first
}

/// Joins the runs of two neighbouring columns that touch, diagonals included.
@inline(__always)
private func joinRuns(
  _ column: Int, _ neighbour: Int, _ starts: UnsafePointer<Int32>, _ lows: UnsafePointer<Int16>,
  _ highs: UnsafePointer<Int16>, _ parents: UnsafeMutablePointer<Int32>
) {
  var a = starts[column]
  var b = starts[neighbour]
  let lastA = starts[column &+ 1]
  let lastB = starts[neighbour &+ 1]
  while a < lastA, b < lastB {
    let (i, j) = (Int(a), Int(b))
    if lows[i] <= highs[j] &+ 1, lows[j] <= highs[i] &+ 1 {
      let p = rootOf(a, parents)
      let q = rootOf(b, parents)
      if p < q { parents[Int(q)] = p } else { parents[Int(p)] = q }
    }
    if highs[i] < highs[j] { a &+= 1 } else { b &+= 1 }
  }
}

@inline(__always)
private func rootOf(_ run: Int32, _ parents: UnsafeMutablePointer<Int32>) -> Int32 {
  var node = run
  while parents[Int(node)] != node {
    // Path halving.
    parents[Int(node)] = parents[Int(parents[Int(node)])]
    node = parents[Int(node)]
  }
  return node
}

/// Sums over the runs of every component, by its index in order of first appearance.
///
/// - indices: scratch, one a run: the component of each root. sums [component][16]: voxels, Σx, Σy,
///   Σz, Σx², Σy², Σxy, smallest x, y, z, largest x, y, z, first run, columns. Returns the number
///   of components; those beyond `capacity` are counted and left out (their runs get index −1).
@inline(never)
public func measureComponents(
  _ columns: Int, _ rows: Int, _ starts: UnsafePointer<Int32>, _ lows: UnsafePointer<Int16>,
  _ highs: UnsafePointer<Int16>, _ parents: UnsafePointer<Int32>,
  _ indices: UnsafeMutablePointer<Int32>, _ sums: UnsafeMutablePointer<Double>, _ capacity: Int
) -> Int {
  var count = 0
  var column = 0
  var y = 0
  while y < rows {
    var x = 0
    while x < columns {
      var run = Int(starts[column])
      let last = Int(starts[column &+ 1])
      while run < last {
        let root = Int(parents[run])
        if root == run {
          indices[run] = count < capacity ? Int32(truncatingIfNeeded: count) : -1
          if count < capacity { startSums(sums + 16 &* count, x, y, run) }
          count &+= 1
        } else {
          indices[run] = indices[root]
        }
        let index = Int(indices[run])
        if index >= 0 { addRun(sums + 16 &* index, x, y, Int(lows[run]), Int(highs[run])) }
        run &+= 1
      }
      column &+= 1
      x &+= 1
    }
    y &+= 1
  }
  return count
}

@inline(__always)
private func startSums(_ sums: UnsafeMutablePointer<Double>, _ x: Int, _ y: Int, _ run: Int) {
  var index = 0
  while index < 16 {
    sums[index] = 0
    index &+= 1
  }
  sums[7] = Double(x)
  sums[8] = Double(y)
  sums[9] = 1e9
  sums[10] = Double(x)
  sums[11] = Double(y)
  sums[12] = -1
  sums[13] = Double(run)
}

@inline(__always)
private func addRun(
  _ sums: UnsafeMutablePointer<Double>, _ x: Int, _ y: Int, _ low: Int, _ high: Int
) {
  let voxels = Double(high &- low &+ 1)
  let (a, b) = (Double(x), Double(y))
  sums[0] += voxels
  sums[1] += voxels * a
  sums[2] += voxels * b
  sums[3] += voxels * 0.5 * Double(low &+ high)
  sums[4] += voxels * a * a
  sums[5] += voxels * b * b
  sums[6] += voxels * a * b
  if a < sums[7] { sums[7] = a }
  if b < sums[8] { sums[8] = b }
  if Double(low) < sums[9] { sums[9] = Double(low) }
  if a > sums[10] { sums[10] = a }
  if b > sums[11] { sums[11] = b }
  if Double(high) > sums[12] { sums[12] = Double(high) }
  sums[14] += 1
}

/// Extents of every component along its own axes: for run voxels at (x, y) the smallest and largest
/// of c·x + s·y and c·y − s·x.
///
/// - axes [component][2]: c, s. out extents [component][4]: smallest, largest along, then across.
@inline(never)
public func measureExtents(
  _ columns: Int, _ rows: Int, _ starts: UnsafePointer<Int32>, _ indices: UnsafePointer<Int32>,
  _ axes: UnsafePointer<Double>, _ extents: UnsafeMutablePointer<Double>
) {
  var column = 0
  var y = 0
  while y < rows {
    var x = 0
    while x < columns {
      var run = Int(starts[column])
      let last = Int(starts[column &+ 1])
      while run < last {
        let index = Int(indices[run])
        if index >= 0 {
          let (c, s) = (axes[2 &* index], axes[2 &* index &+ 1])
          let along = c * Double(x) + s * Double(y)
          let across = c * Double(y) - s * Double(x)
          let target = extents + 4 &* index
          if along < target[0] { target[0] = along }
          if along > target[1] { target[1] = along }
          if across < target[2] { target[2] = across }
          if across > target[3] { target[3] = across }
        }
        run &+= 1
      }
      column &+= 1
      x &+= 1
    }
    y &+= 1
  }
}
