extension CameraToBEV {
  /// Throws unless a valid camera's tensors have the shapes the layout wants.
  func check(_ camera: CameraInput, _ size: FrustumLayout.Camera) throws(InputError) {
    try check(
      camera.features, named: "features", of: camera,
      shape: (size.featureHeight, size.featureWidth, configuration.channels))
    try check(
      camera.depth, named: "depth", of: camera,
      shape: (layout.binCount, size.featureHeight, size.featureWidth))
  }

  private func check(
    _ view: TensorView?, named name: String, of camera: CameraInput, shape: (Int, Int, Int)
  ) throws(InputError) {
    guard let view else {
      throw InputError(
        input: "camera \(camera.name) \(name)", expected: "a tensor of shape \(shape)",
        found: "none", remedy: "hand the tensor over or mark the camera invalid")
    }
    guard view.shape == shape else {
      throw InputError(
        input: "camera \(camera.name) \(name)", expected: "shape \(shape)",
        found: "\(view.shape)", remedy: "check the network's output sizes and the configuration")
    }
    guard view.elementType != .uint8 else {
      throw InputError(
        input: "camera \(camera.name) \(name)", expected: "float32, float16 or bfloat16",
        found: "uint8", remedy: "convert the tensor")
    }
  }

  /// Features of all valid cameras, [camera][y][x][channel]: in place where they lie one after
  /// another, packed otherwise. Cameras that agree on float16 or bfloat16 keep it; the pool widens.
  @unsafe
  func gatherFeatures(_ cameras: [CameraInput]) -> FeatureRows {
    let elementType = commonElementType(cameras)
    let type = elementType ?? .float32
    if elementType != nil, let base = unsafe commonBase(
      cameras, type, { $0.features }, { layout.featureStarts[$0] * configuration.channels })
    {
      return unsafe FeatureRows(base: base, elementType: type)
    }
    let packed = unsafe UnsafeMutableRawPointer(packedFeatures.pointer)
    for (position, camera) in cameras.enumerated() where camera.isValid {
      guard let view = camera.features else { continue }
      let start = layout.featureStarts[position] * configuration.channels
      let target = unsafe packed + start * type.byteCount
      if type == .float32 {
        unsafe TensorPacking.pack(
          view, into: target.assumingMemoryBound(to: Float.self), engine: engine, pool: pool)
      } else {
        unsafe pool.run(
          PackHalvesJob(view, target.assumingMemoryBound(to: UInt16.self)))
      }
    }
    return unsafe FeatureRows(base: packed, elementType: type)
  }

  /// The same as float32, widened where cameras hand over 16 bits.
  @unsafe
  func gatherFloatFeatures(_ cameras: [CameraInput]) -> UnsafePointer<Float> {
    if let base = unsafe commonBase(
      cameras, .float32, { $0.features }, { layout.featureStarts[$0] * configuration.channels })
    {
      return unsafe base.assumingMemoryBound(to: Float.self)
    }
    for (position, camera) in cameras.enumerated() where camera.isValid {
      guard let view = camera.features else { continue }
      let start = layout.featureStarts[position] * configuration.channels
      unsafe TensorPacking.pack(
        view, into: packedFeatures.pointer + start, engine: engine, pool: pool)
    }
    return unsafe UnsafePointer(packedFeatures.pointer)
  }

  /// The element type of all valid cameras' features; nil when they differ.
  private func commonElementType(_ cameras: [CameraInput]) -> ElementType? {
    var common: ElementType?
    for camera in cameras where camera.isValid {
      guard let view = camera.features else { continue }
      if let common, common != view.elementType { return nil }
      common = view.elementType
    }
    return common
  }

  /// Depth weights of all valid cameras, [camera][bin][y][x]: in place, packed, or the softmax of
  /// logits.
  @unsafe
  func gatherDepth(_ cameras: [CameraInput]) -> UnsafePointer<Float> {
    let hasLogits = cameras.contains { $0.isValid && $0.depthIsLogits }
    if !hasLogits, let base = unsafe commonBase(
      cameras, .float32, { $0.depth }, { layout.depthStarts[$0] })
    {
      return unsafe base.assumingMemoryBound(to: Float.self)
    }
    for (position, camera) in cameras.enumerated() where camera.isValid {
      guard let view = camera.depth else { continue }
      let size = layout.cameras[position].pixelCount
      let count = size * layout.binCount
      let output = unsafe packedDepth.pointer + layout.depthStarts[position]
      var source = unsafe UnsafePointer(output)
      if camera.depthIsLogits && view.isContiguous && view.elementType == .float32 {
        unsafe source = view.baseAddress.assumingMemoryBound(to: Float.self)
      } else {
        unsafe TensorPacking.pack(view, into: output, engine: engine, pool: pool)
      }
      if camera.depthIsLogits {
        unsafe DepthSoftmax.softmax(
          UnsafeBufferPointer(start: source, count: count), bins: layout.binCount, pixels: size,
          into: UnsafeMutableBufferPointer(start: output, count: count), engine: engine,
          pool: pool)
      }
    }
    return unsafe UnsafePointer(packedDepth.pointer)
  }

  /// The address of camera 0's tensor when all valid cameras' tensors are of `elementType`,
  /// contiguous and lie one after another at `start` of their position; nil otherwise.
  @unsafe
  private func commonBase(
    _ cameras: [CameraInput], _ elementType: ElementType, _ tensor: (CameraInput) -> TensorView?,
    _ start: (Int) -> Int
  ) -> UnsafeRawPointer? {
    var common: UInt?
    for (position, camera) in cameras.enumerated() where camera.isValid {
      guard let view = tensor(camera), view.elementType == elementType, view.isContiguous else {
        return nil
      }
      let offset = UInt(start(position) * elementType.byteCount)
      let base = unsafe UInt(bitPattern: view.baseAddress) &- offset
      if let common, common != base { return nil }
      common = base
    }
    return unsafe common.flatMap { unsafe UnsafeRawPointer(bitPattern: $0) }
  }
}
