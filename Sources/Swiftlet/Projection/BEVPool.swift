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

  /// True where every cell starts at a multiple of 16 floats.
  var isLineAligned: Bool { strideX % 16 == 0 && strideY % 16 == 0 && strideZ % 16 == 0 }

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
  ///   - index: the tables of the rig.
  ///   - depth: [camera][bin][y][x], one weight per point.
  ///   - features: [camera][y][x][channel], tightly packed.
  ///   - channels: feature channels.
  ///   - cameras: a camera outside this set contributes nothing and is not read. Rigs of more than
  ///     16 cameras pool all.
  ///   - grid: needed for an `order` other than slabs.
  ///   - order: the layout of the result.
  ///   - output: [cell][channel] in rank order, or as `order` says for `grid`.
  public static func pool(
    _ index: BEVIndex, depth: UnsafeBufferPointer<Float>, features: UnsafeBufferPointer<Float>,
    channels: Int, cameras: CameraSet = .all, grid: BEVGrid? = nil, order: BEVOrder = .slabs,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    unsafe pool(
      index, depth, UnsafeRawBufferPointer(features), .float32, channels, cameras, grid, order,
      output)
  }

  /// The same with float16 or bfloat16 features, given as bit patterns: every value is widened
  /// exactly and summed in float32, so the result is what widening the features first would give,
  /// bit for bit, at half the reading.
  ///
  /// - Precondition: `elementType` is `.float16` or `.bfloat16`.
  public static func pool(
    _ index: BEVIndex, depth: UnsafeBufferPointer<Float>,
    halfFeatures features: UnsafeBufferPointer<UInt16>, elementType: ElementType, channels: Int,
    cameras: CameraSet = .all, grid: BEVGrid? = nil, order: BEVOrder = .slabs,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(
      elementType == .float16 || elementType == .bfloat16,
      "16-bit features are float16 or bfloat16, not \(elementType)")
    unsafe pool(
      index, depth, UnsafeRawBufferPointer(features), elementType, channels, cameras, grid, order,
      output)
  }

  private static func pool(
    _ index: BEVIndex, _ depth: UnsafeBufferPointer<Float>, _ features: UnsafeRawBufferPointer,
    _ elementType: ElementType, _ channels: Int, _ cameras: CameraSet, _ grid: BEVGrid?,
    _ order: BEVOrder, _ output: UnsafeMutableBufferPointer<Float>
  ) {
    let layout = index.layout
    precondition(
      depth.count >= layout.pointCount, "\(depth.count) depths for \(layout.pointCount) points")
    let values = features.count / elementType.byteCount
    precondition(
      values >= layout.featureCount * channels,
      "\(values) feature values for \(layout.featureCount) tokens of \(channels)")
    precondition(
      output.count >= index.cellCount * channels,
      "\(output.count) output values for \(index.cellCount) cells of \(channels)")
    precondition(
      grid.map { $0.cellCount == index.cellCount } ?? true,
      "a grid of \(grid?.cellCount ?? 0) cells for an index of \(index.cellCount)")
    let target =
      grid.map { PoolTarget(grid: $0, channels: channels, order: order) }
      ?? PoolTarget(cellCount: index.cellCount, channels: channels)
    guard let out = output.baseAddress, let depths = depth.baseAddress,
      let rows = features.baseAddress
    else { return }
    unsafe pool(
      index, depths, FeatureRows(base: rows, elementType: elementType), channels: channels,
      cameras: cameras, target: target, into: out)
  }

  /// The same without checks, for a pipeline that knows its sizes.
  @unsafe
  static func pool(
    _ index: BEVIndex, _ depth: UnsafePointer<Float>, _ features: FeatureRows,
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
          set: set, index: index, depth: depth, features: features, channels: channels,
          output: output, target: target, excludedCount: excludedCount))
    }
  }
}

/// Feature rows one after another, of one element type.
@unsafe struct FeatureRows: BitwiseCopyable {
  var base: UnsafeRawPointer
  /// As the kernels number the types: 0 float32, 1 float16, 2 bfloat16.
  var format: Int

  init(base: UnsafeRawPointer, elementType: ElementType) {
    unsafe self.base = base
    unsafe format = elementType == .float16 ? 1 : elementType == .bfloat16 ? 2 : 0
  }

  /// One value, widened exactly.
  func value(_ position: Int) -> Float {
    if unsafe format == 0 {
      return unsafe base.loadUnaligned(fromByteOffset: 4 * position, as: Float.self)
    }
    let bits = unsafe base.loadUnaligned(fromByteOffset: 2 * position, as: UInt16.self)
    return unsafe format == 1 ? Widening.halfReference(bits) : Float(bitPattern: UInt32(bits) << 16)
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
  /// Results from this size on are written past the caches: they would not fit, and a usual store
  /// reads every line before it overwrites it.
  static let streamedByteCount = 16 << 20

  var set: InstructionSet
  var points: UnsafeMutablePointer<UInt64>
  var visits: UnsafeMutablePointer<Int32>
  var visitStarts: UnsafeMutablePointer<Int32>
  var visitWork: UnsafeMutablePointer<Int32>
  var keyCount: Int
  var depth: UnsafePointer<Float>
  var features: FeatureRows
  var channels: Int
  var output: UnsafeMutablePointer<Float>
  var strides: (Int, Int, Int, Int, Int)
  var streams: Bool
  var excluded: UnsafeMutablePointer<Int32>
  var excludedCount: Int

  @unsafe
  init(
    set: InstructionSet, index: BEVIndex, depth: UnsafePointer<Float>, features: FeatureRows,
    channels: Int, output: UnsafeMutablePointer<Float>, target: PoolTarget, excludedCount: Int
  ) {
    self.set = set
    unsafe points = index.points.pointer
    unsafe visits = index.visits.pointer
    unsafe visitStarts = index.visitStarts.pointer
    unsafe visitWork = index.visitWork.pointer
    keyCount = index.visitKeyCount
    unsafe self.depth = depth
    unsafe self.features = features
    self.channels = channels
    unsafe self.output = output
    strides = (target.sizeX, target.sizeY, target.strideX, target.strideY, target.strideZ)
    let isAligned = UInt(bitPattern: output) % 64 == 0
    streams =
      isAligned && channels % 16 == 0 && target.isLineAligned && excludedCount == 0
      && 4 * index.cellCount * channels >= Self.streamedByteCount
    unsafe excluded = index.excluded.pointer
    self.excludedCount = excludedCount
  }

  func run(part: Int, of parts: Int) {
    let empty = unsafe partition(Int(visitStarts[1]), part: part, of: parts)
    pool(empty)
    pool(boundary(part, parts)..<boundary(part + 1, parts))
  }

  private func pool(_ range: Range<Int>) {
    unsafe withUnsafeBytes(of: strides) { bytes in
      guard let target = unsafe bytes.assumingMemoryBound(to: Int.self).baseAddress else { return }
      unsafe ProjectionKernels.poolVisits(
        set, points, visits, range.lowerBound, range.upperBound, depth, features.base, channels,
        features.format, channels, output, target, streams, excluded, excludedCount)
    }
  }

  /// The first visit of a part among the cells that have points: parts have about equal work.
  private func boundary(_ part: Int, _ parts: Int) -> Int {
    let first = unsafe Int(visitWork[1])
    let goal = unsafe first + (Int(visitWork[keyCount]) - first) * part / parts
    var low = 1
    var high = keyCount
    while low < high {
      let middle = (low + high) / 2
      if unsafe Int(visitWork[middle]) < goal { low = middle + 1 } else { high = middle }
    }
    return unsafe Int(visitStarts[low])
  }
}
