/// The generic grid_sample operator, zero padding.
public struct GridSample: Sendable, BitwiseCopyable {
  /// Nearest (half to even) instead of linear.
  public var isNearest: Bool
  /// Coordinates -1 and 1 mean the centres of the first and last cell instead of their outer
  /// edges: pixel = (g + 1)/2 (W - 1) instead of ((g + 1) W - 1)/2.
  public var alignCorners: Bool
  public init(isNearest: Bool, alignCorners: Bool) {
    self.isNearest = isNearest
    self.alignCorners = alignCorners
  }

  /// Samples every batch item: `map` [batch][channel][depth][height][width] with depth 1 for two
  /// dimensions, `grid` [batch][point][x y (z)], `output` [batch][channel][point]. Every tap
  /// outside the map counts 0 on its own; coordinates may be anything, NaN included. Allocates
  /// nothing; the same bits for any thread count.
  ///
  /// - Parameters:
  ///   - map: [batch][channel][depth][height][width].
  ///   - shape: batch, channels, depth, height, width.
  ///   - grid: [batch][point][x y (z)].
  ///   - dimensions: 2 or 3.
  ///   - output: [batch][channel][point].
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func sample(
    _ map: UnsafeBufferPointer<Float>, shape: (Int, Int, Int, Int, Int),
    grid: UnsafeBufferPointer<Float>, dimensions: Int,
    into output: UnsafeMutableBufferPointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    let (batch, channels, depth, height, width) = shape
    precondition(
      dimensions == 3 || dimensions == 2 && depth == 1,
      "\(dimensions) dimensions over a depth of \(depth)")
    precondition(
      depth * height * width < 1 << 24,
      "\(depth)×\(height)×\(width) cells; float32 positions hold up to \(1 << 24)")
    guard batch > 0, let source = map.baseAddress, let points = grid.baseAddress,
      let target = output.baseAddress
    else { return }
    let count = grid.count / batch / dimensions
    precondition(
      map.count >= batch * channels * depth * height * width
        && output.count >= batch * channels * count, "buffers too small for the shapes")
    for item in 0..<batch {
      let job = unsafe GridSampleJob(
        operation: self, set: .portable,
        map: source + item * channels * depth * height * width, channels: channels, depth: depth,
        height: height, width: width, grid: points + item * count * dimensions,
        dimensions: dimensions, count: count, output: target + item * channels * count)
      switch engine {
      case .reference: job.sampleReference()
      case .simd(let set):
        var job = job
        job.set = set
        pool.run(job)
      }
    }
  }
}

@safe struct GridSampleJob: PartitionedJob {
  var operation: GridSample
  var set: InstructionSet
  var map: UnsafePointer<Float>
  var channels: Int
  var depth: Int
  var height: Int
  var width: Int
  var grid: UnsafePointer<Float>
  var dimensions: Int
  var count: Int
  var output: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let points = partition(count, part: part, of: parts, grain: 16)
    unsafe ProjectionKernels.gridSample(
      set, map, channels, depth, height, width, grid, dimensions, points.lowerBound,
      points.upperBound, count, operation.isNearest, operation.alignCorners, output)
  }

  /// Point by point, channel by channel, tap by tap.
  func sampleReference() {
    for point in 0..<count {
      let x = unsafe pixel(grid[point * dimensions], width)
      let y = unsafe pixel(grid[point * dimensions + 1], height)
      let z = unsafe dimensions == 3 ? pixel(grid[point * dimensions + 2], depth) : 0
      for channel in 0..<channels {
        unsafe output[channel * count + point] =
          operation.isNearest
          ? value(
            channel, x.rounded(.toNearestOrEven), y.rounded(.toNearestOrEven),
            z.rounded(.toNearestOrEven))
          : linear(channel, x, y, z)
      }
    }
  }

  private func pixel(_ g: Float, _ size: Int) -> Float {
    operation.alignCorners
      ? (g + 1) * 0.5 * (Float(size) - 1) : ((g + 1) * Float(size) - 1) * 0.5
  }

  private func linear(_ channel: Int, _ x: Float, _ y: Float, _ z: Float) -> Float {
    var sum: Float = 0
    for deep in 0..<(dimensions == 3 ? 2 : 1) {
      for down in 0..<2 {
        for right in 0..<2 {
          let tapX: Float = x.rounded(.down) + Float(right)
          let tapY: Float = y.rounded(.down) + Float(down)
          let tapZ: Float = z.rounded(.down) + Float(deep)
          let inPlane: Float = (1 - abs(x - tapX)) * (1 - abs(y - tapY))
          let weight: Float = inPlane * (1 - abs(z - tapZ))
          sum += value(channel, tapX, tapY, tapZ) * (weight.isFinite ? weight : 0)
        }
      }
    }
    return sum
  }

  /// The cell's value, 0 outside.
  private func value(_ channel: Int, _ x: Float, _ y: Float, _ z: Float) -> Float {
    guard x >= 0, y >= 0, z >= 0, x < Float(width), y < Float(height), z < Float(depth) else {
      return 0
    }
    return unsafe map[((channel * depth + Int(z)) * height + Int(y)) * width + Int(x)]
  }
}
