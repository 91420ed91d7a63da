import Swiftlet

/// A published view transform on seeded network outputs and the synthetic rig: depth softmax of every
/// camera, then the pool over tables made once.
final class CameraStage {
  let preset: ProjectionPreset
  /// Network logits and their softmax, [camera][bin][y][x].
  let logits: AlignedBuffer<Float>
  let depth: AlignedBuffer<Float>
  /// [camera][y][x][C].
  let features: AlignedBuffer<Float>
  /// [z][y][x][C].
  let output: AlignedBuffer<Float>
  private let index: BEVIndex
  private let engine: Engine
  private let pool: WorkerPool
  private let layout: FrustumLayout

  init(_ preset: ProjectionPreset, _ engine: Engine, _ pool: WorkerPool) {
    self.preset = preset
    self.engine = engine
    self.pool = pool
    let configuration = preset.configuration
    layout = FrustumLayout(
      cameras: Array(repeating: preset.camera, count: 6),
      binCount: configuration.depthBins.count)
    let lift = FrustumLift(
      layout: layout, grid: configuration.grid, depthBins: configuration.depthBins, engine: engine)
    let cameras = ProjectionRig.cameras(
      augmentation: preset.augmentation, networkWidth: preset.networkWidthPixels,
      networkHeight: preset.networkHeightPixels)
    for (position, camera) in cameras.enumerated() { _ = lift.setCamera(position, camera) }
    index = BEVIndex(
      layout: layout, cellCount: configuration.grid.cellCount, engine: engine, pool: pool)
    index.rebuild(lift)
    logits = AlignedBuffer(count: layout.pointCount)
    depth = AlignedBuffer(count: layout.pointCount)
    features = AlignedBuffer(count: layout.featureCount * configuration.channels)
    output = AlignedBuffer(count: configuration.grid.cellCount * configuration.channels)
    var numbers = SeededNumbers(seed: 31)
    numbers.fill(logits, in: -4...4)
    numbers.fill(features, in: -1...1)
  }

  func run() {
    let pixels = preset.camera.featureWidth * preset.camera.featureHeight
    let bins = layout.binCount
    for camera in 0..<6 {
      let range = camera * bins * pixels..<(camera + 1) * bins * pixels
      unsafe DepthSoftmax.softmax(
        UnsafeBufferPointer(rebasing: logits.elements[range]), bins: bins, pixels: pixels,
        into: UnsafeMutableBufferPointer(rebasing: depth.elements[range]), engine: engine,
        pool: pool)
    }
    unsafe BEVPool.pool(
      index, depth: UnsafeBufferPointer(depth.elements),
      features: UnsafeBufferPointer(features.elements), channels: preset.configuration.channels,
      into: output.elements)
  }

  /// A multiply-add per point and channel; exponentials are not counted.
  var floatingPointOperations: Double {
    2 * Double(index.keptCount * preset.configuration.channels)
  }
  var bytesMoved: Double {
    let floats: Int = 2 * logits.count + features.count + output.count
    return Double(12 * index.keptCount + 4 * floats)
  }

  /// Against softmax and sums in float64: within n roundings of the terms' magnitude.
  func verificationFailure() -> String? {
    let channels = preset.configuration.channels
    let pixels = preset.camera.featureWidth * preset.camera.featureHeight
    output.fill(.nan)
    depth.fill(.nan)
    run()
    let exact = AlignedBuffer<Float>(count: depth.count)
    for camera in 0..<6 {
      let size = layout.binCount * pixels
      let range = camera * size..<(camera + 1) * size
      unsafe DepthSoftmax.softmax(
        UnsafeBufferPointer(rebasing: logits.elements[range]), bins: layout.binCount,
        pixels: pixels, into: UnsafeMutableBufferPointer(rebasing: exact.elements[range]),
        engine: .reference, pool: pool)
    }
    let tables = index.tables()
    var expected = [Double](repeating: 0, count: output.count)
    var magnitude = expected
    for point in tables.ranksBEV.indices {
      let weight = Double(exact[Int(tables.ranksDepth[point])])
      let (row, cell) = (
        Int(tables.ranksFeature[point]) * channels, Int(tables.ranksBEV[point]) * channels
      )
      for channel in 0..<channels {
        let term = weight * Double(features[row + channel])
        expected[cell + channel] += term
        magnitude[cell + channel] += abs(term)
      }
    }
    // A weight of the softmax errs by some units in its last place.
    let roundings = Double((tables.intervalLengths.max() ?? 0) + 16) * 0x1p-23
    for position in expected.indices {
      let error = abs(Double(output[position]) - expected[position])
      if !(error <= roundings * magnitude[position]) {
        return "pooled value \(position): expected \(expected[position]), found \(output[position])"
      }
    }
    return nil
  }
}

/// A pooled map's predecessor, aligned by the ego motion.
final class WarpStage {
  private let warp: BEVWarp
  private let reference: BEVWarp
  private let previous: AlignedBuffer<Float>
  private let motion = BEVPixelTransform(
    xx: 0.9998, xy: 0.02, x0: -1.3, yx: -0.02, yy: 0.9998, y0: 0.7)
  var output: AlignedBuffer<Float> { warp.output }
  var validity: AlignedBuffer<UInt8> { warp.validity }

  init(grid: BEVGrid, channels: Int, _ engine: Engine, _ pool: WorkerPool) {
    func make(_ engine: Engine) -> BEVWarp {
      BEVWarp(
        width: grid.sizeX, height: grid.sizeY, channels: channels, engine: engine, pool: pool)
    }
    warp = make(engine)
    reference = make(.reference)
    previous = AlignedBuffer(count: grid.sizeX * grid.sizeY * channels)
    var numbers = SeededNumbers(seed: 32)
    numbers.fill(previous, in: -1...1)
  }

  /// Of the stage's own map, or of `map`.
  func run(_ map: AlignedBuffer<Float>? = nil) {
    unsafe warp.warp(
      UnsafeBufferPointer((map ?? previous).elements), validity: nil, by: motion)
  }
  var floatingPointOperations: Double { 8 * Double(output.count) }
  var bytesMoved: Double { 8 * Double(output.count) }

  /// Four products of values below 1 with weights from float64.
  func verificationFailure() -> String? {
    run()
    unsafe reference.warp(UnsafeBufferPointer(previous.elements), validity: nil, by: motion)
    return differenceFailure(reference.output, output, tolerance: 1e-5)
  }
}
