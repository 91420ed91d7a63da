/// How pooled cells lie in memory.
public enum BEVOrder: String, Sendable, BitwiseCopyable {
  /// [z][y][x][channel]: BEVDet, FlashOcc, FB-OCC before collapsing.
  case slabs
  /// [y][x][z · channels + channel]: slabs side by side in the channels, z the slow part, as
  /// BEVDet's collapse_z concatenates them.
  case collapsed
  /// [z][x][y][channel]: LSS and BEVFusion, where x is the slow axis of the map.
  case xMajor
}

/// Where the pool writes: strides in floats between cells of a grid.
struct PoolTarget: BitwiseCopyable {
  var sizeX: Int
  var sizeY: Int
  var strideX: Int
  var strideY: Int
  var strideZ: Int

  init(grid: BEVGrid, channels: Int, order: BEVOrder) {
    sizeX = grid.sizeX
    sizeY = grid.sizeY
    switch order {
    case .slabs:
      strideX = channels
      strideY = channels * grid.sizeX
      strideZ = channels * grid.sizeX * grid.sizeY
    case .collapsed:
      strideX = channels * grid.sizeZ
      strideY = channels * grid.sizeZ * grid.sizeX
      strideZ = channels
    case .xMajor:
      strideX = channels * grid.sizeY
      strideY = channels
      strideZ = channels * grid.sizeX * grid.sizeY
    }
  }
  /// Cells one after another.
  init(cellCount: Int, channels: Int) {
    sizeX = cellCount
    sizeY = 1
    strideX = channels
    strideY = channels * cellCount
    strideZ = channels * cellCount
  }

  /// Calls `body` for the runs of equally spaced cells in `cells`: first cell, end, offset.
  @inline(__always)
  func forEachRun(in cells: Range<Int>, _ body: (Int, Int, Int) -> Void) {
    var cell = cells.lowerBound
    while cell < cells.upperBound {
      let row = cell / sizeX
      let x = cell - row * sizeX
      let end = min((row + 1) * sizeX, cells.upperBound)
      body(cell, end, row / sizeY * strideZ + row % sizeY * strideY + x * strideX)
      cell = end
    }
  }
}

/// Weighted pooling of lifted features into cells (BEVPoolv2).
public enum BEVPool {
  /// `output[cell] = Σ depth[d] · features[f, :]` over the cell's points in ascending depth index,
  /// accumulated in float32 from 0 with one multiply-add per point: fused where the instruction set
  /// has it, two roundings elsewhere and in the reference. Cells without points are exactly 0. The
  /// same bits for every thread count. Allocates nothing.
  ///
  /// - Parameters:
  ///   - depth: [camera][bin][y][x], one weight per point.
  ///   - features: [camera][y][x][channel], tightly packed.
  ///   - cameras: a camera outside this set contributes nothing and is not read. Rigs of more than
  ///     16 cameras pool all.
  ///   - output: [cell][channel] in rank order, or as `order` says for `grid`.
  public static func pool(
    _ index: BEVIndex, depth: UnsafeBufferPointer<Float>, features: UnsafeBufferPointer<Float>,
    channels: Int, cameras: CameraSet = .all, grid: BEVGrid? = nil, order: BEVOrder = .slabs,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let layout = index.layout
    precondition(
      depth.count >= layout.pointCount, "\(depth.count) depths for \(layout.pointCount) points")
    precondition(
      features.count >= layout.featureCount * channels,
      "\(features.count) feature values for \(layout.featureCount) tokens of \(channels)")
    precondition(
      output.count >= index.cellCount * channels,
      "\(output.count) output values for \(index.cellCount) cells of \(channels)")
    let target =
      grid.map { PoolTarget(grid: $0, channels: channels, order: order) }
      ?? PoolTarget(cellCount: index.cellCount, channels: channels)
    guard let out = output.baseAddress, let depths = depth.baseAddress,
      let rows = features.baseAddress
    else { return }
    unsafe pool(
      index, depths, rows, channels: channels, cameras: cameras, target: target, into: out)
  }

  /// The same without checks, for a pipeline that knows its sizes.
  @unsafe
  static func pool(
    _ index: BEVIndex, _ depth: UnsafePointer<Float>, _ features: UnsafePointer<Float>,
    channels: Int, cameras: CameraSet, target: PoolTarget, into output: UnsafeMutablePointer<Float>
  ) {
    switch index.engine {
    case .reference:
      unsafe poolReference(
        index, depth, features, channels: channels, cameras: cameras, target: target, into: output)
    case .simd(let set):
      let excludedCount = index.exclude(allBut: cameras)
      unsafe index.pool.run(
        PoolJob(
          set: set, points: index.points.pointer, starts: index.starts.pointer,
          cellCount: index.cellCount, depth: depth, features: features, channels: channels,
          output: output, target: target, excluded: index.excluded.pointer,
          excludedCount: excludedCount))
    }
  }
}

extension BEVIndex {
  /// Fills `excluded` with the depth ranges of the cameras outside `cameras`; neighbours merge.
  func exclude(allBut cameras: CameraSet) -> Int {
    guard layout.cameras.count <= 16 else { return 0 }
    var ranges = 0
    for camera in layout.cameras.indices where !cameras.contains(camera: camera) {
      let begin = Int32(layout.depthStarts[camera])
      let end = Int32(layout.depthStarts[camera + 1])
      if ranges > 0, excluded[2 * ranges - 1] == begin {
        excluded[2 * ranges - 1] = end
      } else {
        excluded[2 * ranges] = begin
        excluded[2 * ranges + 1] = end
        ranges += 1
      }
    }
    return ranges
  }
}

@safe struct PoolJob: PartitionedJob {
  var set: InstructionSet
  var points: UnsafeMutablePointer<UInt64>
  var starts: UnsafeMutablePointer<Int32>
  var cellCount: Int
  var depth: UnsafePointer<Float>
  var features: UnsafePointer<Float>
  var channels: Int
  var output: UnsafeMutablePointer<Float>
  var target: PoolTarget
  var excluded: UnsafeMutablePointer<Int32>
  var excludedCount: Int

  func run(part: Int, of parts: Int) {
    let cells = boundary(part, parts)..<boundary(part + 1, parts)
    target.forEachRun(in: cells) { begin, end, offset in
      if excludedCount == 0 {
        unsafe ProjectionKernels.poolCells(
          set, points, starts, begin, end, depth, features, channels, channels, output + offset,
          target.strideX)
      } else {
        unsafe ProjectionKernels.poolCellsExcluding(
          set, points, starts, begin, end, depth, features, channels, channels, output + offset,
          target.strideX, excluded, excludedCount)
      }
    }
  }

  /// The first cell of a part: parts have about equal work, a cell counting as two points because
  /// it is written even when empty.
  private func boundary(_ part: Int, _ parts: Int) -> Int {
    if part == 0 { return 0 }
    if part == parts { return cellCount }
    let goal = unsafe (Int(starts[cellCount]) + 2 * cellCount) * part / parts
    var low = 0
    var high = cellCount
    while low < high {
      let middle = (low + high) / 2
      if unsafe Int(starts[middle]) + 2 * middle < goal { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
