import CSwiftlet
import Swiftlet

/// A pool and an engine for kernels on the caller's arrays.
@safe
final class KernelsHandle: Handle {
  let engine: Engine
  let pool: WorkerPool
  let maximumBytes: Int

  init(_ options: Options) throws(Failure) {
    engine = options.engine
    pool = try options.makePool()
    maximumBytes = options.maximumBytes
  }

  /// Throws unless an array of these sizes stays within the limit.
  func checkSize(_ sizes: Int64..., what: String) throws(Failure) {
    var total: Int64 = 4
    for size in sizes {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard size >= 1, !overflow, product <= maximumBytes else {
        throw .input(
          what, expected: "sizes of 1 or more and at most \(maximumBytes) bytes", found: "\(sizes)",
          "correct the sizes or raise maximum_bytes")
      }
      total = product
    }
  }
}

@c @implementation
public func swiftlet_kernels_create(
  _ options: UnsafePointer<swiftlet_options>!, _ kernels: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe create(at: kernels, error) { () throws(Failure) in
    try KernelsHandle(unsafe try Options(options))
  }
}

@c @implementation
public func swiftlet_kernels_destroy(_ kernels: OpaquePointer!) -> swiftlet_status {
  unsafe destroy(kernels, KernelsHandle.self)
}

@c @implementation
public func swiftlet_bev_pool(
  _ kernels: OpaquePointer!, _ shape: UnsafePointer<swiftlet_pool_shape>!,
  _ depth: UnsafePointer<Float>!, _ features: UnsafePointer<Float>!,
  _ ranks: UnsafePointer<Int32>!, _ output: UnsafeMutablePointer<Float>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(kernels, KernelsHandle.self, error) { (handle) throws(Failure) in
    guard let s = unsafe shape?.pointee else { throw Failure.null("shape") }
    guard let depth = unsafe depth, let features = unsafe features, let ranks = unsafe ranks,
      let output = unsafe output
    else { throw Failure.null("depth, features, ranks or output") }
    try handle.checkSize(s.cameras, s.bins, s.height, s.width, 8, what: "shape")
    try handle.checkSize(s.cameras, s.height, s.width, s.channels, what: "shape")
    try handle.checkSize(s.cells, s.channels, what: "shape")
    guard s.cells < 1 << 30, s.cameras <= 64 else {
      throw .input("shape", expected: "fewer than 2^30 cells, at most 64 cameras",
        found: "\(s.cells), \(s.cameras)", "correct the shape")
    }
    let layout = FrustumLayout(
      cameras: Array(
        repeating: .init(featureWidth: Int(s.width), featureHeight: Int(s.height)),
        count: Int(s.cameras)), binCount: Int(s.bins))
    let index = BEVIndex(
      layout: layout, cellCount: Int(s.cells), engine: handle.engine, pool: handle.pool)
    let given = unsafe Array(UnsafeBufferPointer(start: ranks, count: layout.pointCount))
    if let bad = given.firstIndex(where: { $0 < -1 || Int64($0) >= s.cells }) {
      throw .input("ranks", expected: "-1 ... \(s.cells - 1)", found: "\(given[bad]) at \(bad)",
        "leave points outside the grid out with -1")
    }
    index.rebuild(ranks: given)
    unsafe BEVPool.pool(
      index, depth: UnsafeBufferPointer(start: depth, count: layout.pointCount),
      features: UnsafeBufferPointer(
        start: features, count: layout.featureCount * Int(s.channels)),
      channels: Int(s.channels),
      into: UnsafeMutableBufferPointer(start: output, count: Int(s.cells * s.channels)))
  }
}

@c @implementation
public func swiftlet_deformable_attention(
  _ kernels: OpaquePointer!, _ shape: UnsafePointer<swiftlet_attention_shape>!,
  _ level_sizes: UnsafePointer<Int32>!, _ values: UnsafePointer<Float>!,
  _ locations: UnsafePointer<Float>!, _ weights: UnsafePointer<Float>!,
  _ output: UnsafeMutablePointer<Float>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(kernels, KernelsHandle.self, error) { (handle) throws(Failure) in
    guard let s = unsafe shape?.pointee else { throw Failure.null("shape") }
    guard let sizes = unsafe level_sizes, let values = unsafe values,
      let locations = unsafe locations, let weights = unsafe weights, let output = unsafe output
    else { throw Failure.null("level_sizes, values, locations, weights or output") }
    guard (1...16).contains(s.levels), (1...1024).contains(s.heads), (1...64).contains(s.points)
    else {
      throw .input(
        "shape", expected: "1 to 16 levels, 1 to 1024 heads, 1 to 64 points",
        found: "\(s.levels), \(s.heads), \(s.points)", "correct the shape")
    }
    var pyramid: [(height: Int, width: Int)] = []
    var tokens: Int64 = 0
    for level in 0..<Int(s.levels) {
      let (height, width) = unsafe (Int64(sizes[2 * level]), Int64(sizes[2 * level + 1]))
      try handle.checkSize(height, width, s.heads, s.channels, what: "level_sizes[\(level)]")
      pyramid.append((Int(height), Int(width)))
      tokens += height * width
    }
    try handle.checkSize(tokens, s.heads, s.channels, what: "values")
    try handle.checkSize(s.queries, s.heads, s.levels, s.points, 2, what: "locations")
    try handle.checkSize(s.queries, s.heads, s.channels, what: "output")
    guard tokens * s.heads * s.channels < Int64(Int32.max) else {
      throw .input(
        "values", expected: "fewer than 2^31 values", found: "\(tokens * s.heads * s.channels)",
        "split the heads over several calls")
    }
    let attention = MultiScaleDeformableAttention(
      heads: Int(s.heads), channels: Int(s.channels), levels: FeatureLevel.pyramid(pyramid),
      points: Int(s.points), maximumThreads: handle.pool.threadCount)
    let samples = Int(s.queries * s.heads * s.levels * s.points)
    let result = AlignedBuffer<Float>(count: Int(s.queries * s.heads * s.channels))
    // Copies: the kernel reads whole vectors, past the end of a caller's array too.
    unsafe attention.apply(
      values: buffer(values, Int(tokens * s.heads * s.channels)),
      locations: buffer(locations, 2 * samples), weights: buffer(weights, samples),
      queryCount: Int(s.queries), into: result, engine: handle.engine, pool: handle.pool)
    unsafe output.update(from: result.pointer, count: result.count)
  }
}

/// A copy with room behind it.
private func buffer(_ values: UnsafePointer<Float>, _ count: Int) -> AlignedBuffer<Float> {
  let made = AlignedBuffer<Float>(count: count)
  unsafe made.pointer.update(from: values, count: count)
  return made
}
