/// Copies of strided or half-precision tensors into tight float32, for kernels that take nothing
/// else. Allocates nothing.
enum TensorPacking {
  /// `output` receives the elements of `view` in index order, widened exactly.
  ///
  /// - Precondition: The element type is not uint8.
  @unsafe
  static func pack(
    _ view: TensorView, into output: UnsafeMutablePointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    precondition(view.elementType != .uint8, "uint8 is no tensor of features or depths")
    let pixels = view.shape.0 * view.shape.1
    let isChannelsFirst =
      view.strides.0 == view.shape.1 && view.strides.1 == 1 && view.strides.2 == pixels
    if view.elementType == .float32 && isChannelsFirst && view.shape.2 > 1 {
      unsafe DepthSoftmax.channelsLast(
        view.baseAddress.assumingMemoryBound(to: Float.self), view.shape.2, pixels, output,
        engine: engine, pool: pool)
      return
    }
    unsafe pool.run(PackJob(view, output, engine))
  }
}

@safe struct PackJob: PartitionedJob {
  var base: UnsafeRawPointer
  var isHalf: Bool
  var isBFloat: Bool
  var shape: (Int, Int, Int)
  var strides: (Int, Int, Int)
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  init(_ view: TensorView, _ output: UnsafeMutablePointer<Float>, _ engine: Engine) {
    unsafe base = view.baseAddress
    isHalf = view.elementType == .float16
    isBFloat = view.elementType == .bfloat16
    shape = view.shape
    strides = view.strides
    unsafe self.output = output
    self.engine = engine
  }

  /// A part takes whole planes (the slowest index).
  func run(part: Int, of parts: Int) {
    for plane in partition(shape.0, part: part, of: parts) {
      for row in 0..<shape.1 {
        let target = unsafe output + (plane * shape.1 + row) * shape.2
        unsafe packRow(plane * strides.0 + row * strides.1, target)
      }
    }
  }

  private func packRow(_ first: Int, _ target: UnsafeMutablePointer<Float>) {
    if isHalf || isBFloat {
      unsafe packHalfRow(base.assumingMemoryBound(to: UInt16.self) + first, target)
      return
    }
    let source = unsafe base.assumingMemoryBound(to: Float.self) + first
    if strides.2 == 1 {
      unsafe target.update(from: source, count: shape.2)
    } else {
      for index in 0..<shape.2 { unsafe target[index] = source[index * strides.2] }
    }
  }

  private func packHalfRow(_ source: UnsafePointer<UInt16>, _ target: UnsafeMutablePointer<Float>) {
    // A strided row is widened value by value: one call each, right before it is fast.
    let step = strides.2 == 1 ? shape.2 : 1
    var index = 0
    while index < shape.2 {
      let input = unsafe UnsafeBufferPointer(start: source + index * strides.2, count: step)
      let output = unsafe UnsafeMutableBufferPointer(start: target + index, count: step)
      if isHalf {
        unsafe Widening.half(input, to: output, engine: engine)
      } else {
        unsafe Widening.bfloat(input, to: output, engine: engine)
      }
      index += step
    }
  }
}

/// Copies a strided tensor of 16-bit values without widening.
@safe struct PackHalvesJob: PartitionedJob {
  var base: UnsafePointer<UInt16>
  var shape: (Int, Int, Int)
  var strides: (Int, Int, Int)
  var output: UnsafeMutablePointer<UInt16>

  @unsafe
  init(_ view: TensorView, _ output: UnsafeMutablePointer<UInt16>) {
    unsafe base = view.baseAddress.assumingMemoryBound(to: UInt16.self)
    shape = view.shape
    strides = view.strides
    unsafe self.output = output
  }

  /// A part takes whole planes (the slowest index).
  func run(part: Int, of parts: Int) {
    for plane in partition(shape.0, part: part, of: parts) {
      for row in 0..<shape.1 {
        let source = unsafe base + plane * strides.0 + row * strides.1
        let target = unsafe output + (plane * shape.1 + row) * shape.2
        if strides.2 == 1 {
          unsafe target.update(from: source, count: shape.2)
        } else {
          for index in 0..<shape.2 { unsafe target[index] = source[index * strides.2] }
        }
      }
    }
  }
}
