import Swiftlet

/// How `swiftlet score` compares two occupancy sets.
public struct ScoreOptions: Sendable {
  public enum Metric: String, Sendable, CaseIterable { case miou, rayiou, mave }
  public enum Mask: String, Sendable, CaseIterable { case auto, camera, lidar, none }

  public var classes = OccupancyClasses.occ3d
  public var metrics: Set<Metric> = [.miou, .rayiou, .mave]
  /// `auto` takes the camera mask where the truth has one.
  public var mask = Mask.auto
  public var voxelSizeMeters: Float = 0.4
  /// The grid's lower corner in its own frame.
  public var lowerMeters = SIMD3<Float>(-40, -40, -1)
  /// Origins of RayIoU for samples that name none: the nuScenes LiDAR.
  public var originsMeters = [SIMD3<Float>(0.9858, 0, 1.8402)]
  /// Origins by sample; before those of the options and of the truth's file.
  public var originsBySample: [String: [SIMD3<Float>]] = [:]
  public var thresholdsMeters: [Float] = [1, 2, 4]

  public init() {}
}

/// Adds up the metrics over samples. One grid of each set is in memory at a time.
public final class OccupancyScorer {
  public let options: ScoreOptions
  public private(set) var confusion: VoxelConfusion
  public private(set) var rays: RayIoU
  public private(set) var sampleCount = 0
  /// Samples scored with a camera mask, with a LiDAR mask, without.
  public private(set) var cameraMaskCount = 0
  public private(set) var lidarMaskCount = 0
  /// Samples where both grids had a flow.
  public private(set) var flowCount = 0
  /// Rays cast into each grid, truths that are free included.
  public private(set) var castRayCount = 0
  private let engine: Engine
  private let pool: WorkerPool

  public init(options: ScoreOptions, engine: Engine, pool: WorkerPool) {
    self.options = options
    self.engine = engine
    self.pool = pool
    confusion = VoxelConfusion(classes: options.classes)
    rays = RayIoU(classes: options.classes, thresholdsMeters: options.thresholdsMeters)
  }

  /// Reads and adds one pair of files.
  ///
  /// - Throws: `ExchangeError` for files that cannot be read, `InputError` for grids that cannot be
  ///   compared.
  public func add(_ pair: SamplePairing.Pair) throws {
    let prediction = try OccupancyLabels.read(pair.prediction)
    let truth = try OccupancyLabels.read(pair.truth)
    do throws(InputError) {
      try add(prediction: prediction, truth: truth, sample: pair.sample)
    } catch {
      throw ExchangeError(
        file: "\(pair.prediction) against \(pair.truth), \(error.input)",
        expected: error.expected, found: error.found, remedy: error.remedy)
    }
  }

  /// Adds one sample.
  public func add(
    prediction: OccupancyLabels, truth: OccupancyLabels, sample: String = ""
  ) throws(InputError) {
    guard prediction.sizes == truth.sizes else {
      throw InputError(
        input: "prediction", expected: "a grid of \(text(truth.sizes))",
        found: text(prediction.sizes), remedy: "resample it to the truth's grid")
    }
    if options.metrics.contains(.miou) {
      try confusion.add(
        prediction: prediction.labels, truth: truth.labels, mask: try mask(of: truth),
        engine: engine, pool: pool)
    }
    if options.metrics.contains(.rayiou) || options.metrics.contains(.mave) {
      try addRays(prediction, truth, sample)
    }
    sampleCount += 1
  }

  private func mask(of truth: OccupancyLabels) throws(InputError) -> [UInt8]? {
    switch options.mask {
    case .none: return nil
    case .auto:
      cameraMaskCount += truth.cameraMask == nil ? 0 : 1
      return truth.cameraMask
    case .camera:
      guard let mask = truth.cameraMask else { throw lacks("mask_camera") }
      cameraMaskCount += 1
      return mask
    case .lidar:
      guard let mask = truth.lidarMask else { throw lacks("mask_lidar") }
      lidarMaskCount += 1
      return mask
    }
  }

  private func lacks(_ name: String) -> InputError {
    InputError(
      input: "truth", expected: "an array \(name)", found: "none",
      remedy: "choose --mask none or auto")
  }

  private func addRays(
    _ prediction: OccupancyLabels, _ truth: OccupancyLabels, _ sample: String
  ) throws(InputError) {
    let predicted = try caster(prediction)
    let expected = try caster(truth)
    let origins = options.originsBySample[sample] ?? truth.originsMeters ?? options.originsMeters
    let hasFlow = prediction.flow != nil && truth.flow != nil
    flowCount += hasFlow ? 1 : 0
    for origin in origins {
      let set = RayDirections.rays(
        from: origin, lower: options.lowerMeters, voxelSizeMeters: options.voxelSizeMeters)
      let a = try predicted.cast(
        origins: set.origins, ends: set.ends, voxelSizeMeters: options.voxelSizeMeters)
      let b = try expected.cast(
        origins: set.origins, ends: set.ends, voxelSizeMeters: options.voxelSizeMeters)
      castRayCount += b.labels.count
      try rays.add(
        prediction: a, truth: b, predictedFlow: hasFlow ? prediction.flow : nil,
        trueFlow: hasFlow ? truth.flow : nil)
    }
  }

  private func caster(_ labels: OccupancyLabels) throws(InputError) -> VoxelRayCaster {
    try VoxelRayCaster(
      labels: labels.labels, sizes: labels.sizes, freeClass: options.classes.freeClass,
      engine: engine, pool: pool)
  }

  private func text(_ sizes: SIMD3<Int>) -> String { "\(sizes.x) x \(sizes.y) x \(sizes.z)" }
}
