import Swiftlet

/// A published view transform run on a recording's frames, whole: inputs, calibration, lift, index,
/// pool.
public final class PresetProjection {
  /// What one frame gave.
  public struct Result: Sendable, Equatable {
    public var validCameras: [String]
    public var missingCameras: [String]
    /// The tables were built anew for this frame.
    public var wasRebuilt: Bool
    public var pointCount: Int
    public var keptCount: Int
    /// Kept points that the floor rule would drop; nil for the floor rule itself.
    public var keptByTruncationCount: Int?
    public var cellCount: Int
    public var occupiedCellCount: Int
    /// Sum of the depth weights of kept points of valid cameras, and of the pooled constant
    /// channel; equal but for rounding. Nil with network features, which have no such channel.
    public var weightBefore: Double?
    public var weightAfter: Double?
    public var calibrationNanoseconds: Int64
    public var projectNanoseconds: Int64
  }

  public let preset: ProjectionPreset
  public let projection: CameraToBEV
  public private(set) var usesBuiltInFeatures = false
  /// Cell coordinates' frame from key ego: identity but for presets in the lidar frame.
  public private(set) var gridFromKeyEgo = RigidTransform.identity
  private let inputs: PresetInputs
  private let precision: ElementType
  private let clock = MonotonicClock()

  /// - Parameters:
  ///   - precision: the type features are handed over in; `.float16` and `.bfloat16` round them.
  /// - Throws: `ConfigurationError` for a rig of no or more than 12 cameras.
  public init(
    _ preset: ProjectionPreset, rig frame: SensorFrame, precision: ElementType = .float32,
    engine: Engine, pool: WorkerPool
  ) throws(ConfigurationError) {
    self.preset = preset
    self.precision = precision
    inputs = PresetInputs(
      PresetInputs.Shape(preset), rig: frame, engine: engine, pool: pool)
    let sizes = frame.cameras.map { camera in
      camera.features.map {
        FrustumLayout.Camera(featureWidth: $0.shape.1, featureHeight: $0.shape.0)
      } ?? preset.camera
    }
    projection = try CameraToBEV(
      configuration: preset.configuration, cameras: sizes, engine: engine, pool: pool)
  }

  /// Projects a frame.
  ///
  /// - Throws: `CalibrationError` or `InputError` naming the camera.
  public func project(_ recorded: SensorFrame) throws -> Result {
    var frame = recorded
    usesBuiltInFeatures = inputs.fill(&frame)
    place(&frame)
    let rounded = round(&frame)
    let start = clock.nowNanoseconds
    let wasRebuilt = try projection.updateCalibration(frame.cameras)
    let middle = clock.nowNanoseconds
    try projection.project(frame.cameras)
    let end = clock.nowNanoseconds
    withExtendedLifetime(rounded) {}
    return result(frame, wasRebuilt, middle - start, end - middle)
  }

  /// Cameras in the frame the preset's grid lives in.
  private func place(_ frame: inout SensorFrame) {
    gridFromKeyEgo = .identity
    if preset.frame == "lidar", let lidar = frame.lidars.first(where: \.isValid) {
      gridFromKeyEgo = lidar.worldFromLidar.inverse * frame.worldFromEgo
    }
    for index in frame.cameras.indices {
      let camera = frame.cameras[index]
      frame.cameras[index].keyEgoFromCamera =
        gridFromKeyEgo * (preset.correctsEgoMotion ? camera.keyEgoFromCamera : camera.egoFromCamera)
    }
  }

  /// Features of every valid camera in `precision`; returns what owns them.
  private func round(_ frame: inout SensorFrame) -> [AlignedBuffer<UInt16>] {
    guard precision != .float32 else { return [] }
    var owners: [AlignedBuffer<UInt16>] = []
    for index in frame.cameras.indices where frame.cameras[index].isValid {
      guard let view = frame.cameras[index].features, view.elementType == .float32,
        view.isContiguous
      else { continue }
      let values = unsafe UnsafeBufferPointer(
        start: view.baseAddress.assumingMemoryBound(to: Float.self), count: view.elementCount)
      let halves = AlignedBuffer<UInt16>(count: view.elementCount)
      for position in values.indices {
        let value = unsafe values[position]
        halves[position] =
          precision == .float16 ? HalfRounding.float16(value) : HalfRounding.bfloat16(value)
      }
      frame.cameras[index].features = unsafe TensorView(
        base: UnsafeRawPointer(halves.pointer), elementType: precision, shape: view.shape)
      owners.append(halves)
    }
    return owners
  }

  private func result(
    _ frame: SensorFrame, _ wasRebuilt: Bool, _ calibration: Int64, _ project: Int64
  ) -> Result {
    let masks = projection.index.cameraMasks.array
    let ranks = projection.index.pointRanks()
    var result = Result(
      validCameras: frame.cameras.filter(\.isValid).map(\.name),
      missingCameras: frame.cameras.filter { !$0.isValid }.map(\.name), wasRebuilt: wasRebuilt,
      pointCount: projection.layout.pointCount, keptCount: projection.index.keptCount,
      keptByTruncationCount: nil, cellCount: projection.index.cellCount,
      occupiedCellCount: masks.count { $0 & projection.validCameras.rawValue != 0 },
      weightBefore: nil, weightAfter: nil, calibrationNanoseconds: calibration,
      projectNanoseconds: project)
    if preset.configuration.cellRule == .truncation {
      result.keptByTruncationCount = ranks.count { $0 >= 0 } - keptByFloor(frame)
    }
    if usesBuiltInFeatures, frame.cameras.allSatisfy({ !$0.isValid || !$0.depthIsLogits }) {
      result.weightBefore = weight(frame, ranks)
      let channels = preset.configuration.channels
      var sum = 0.0
      for cell in 0..<result.cellCount {
        sum += Double(projection.bev[cell * channels + BEVColors.weightChannel])
      }
      result.weightAfter = sum
    }
    return result
  }

  private func keptByFloor(_ frame: SensorFrame) -> Int {
    let lift = FrustumLift(
      layout: projection.layout, grid: preset.configuration.grid,
      depthBins: preset.configuration.depthBins, cellRule: .floor, engine: projection.engine)
    for (position, camera) in frame.cameras.enumerated() where camera.isValid {
      _ = lift.setCamera(
        position,
        FrustumCamera(
          intrinsics: camera.intrinsics, egoFromCamera: camera.keyEgoFromCamera,
          augmentation: camera.augmentation, networkWidthPixels: camera.networkWidthPixels,
          networkHeightPixels: camera.networkHeightPixels))
    }
    let index = BEVIndex(
      layout: projection.layout, cellCount: projection.index.cellCount, engine: projection.engine,
      pool: WorkerPool(threadCount: 1))
    index.rebuild(lift)
    return index.keptCount
  }

  private func weight(_ frame: SensorFrame, _ ranks: [Int32]) -> Double {
    var sum = 0.0
    for (position, camera) in frame.cameras.enumerated() where camera.isValid {
      guard let depth = camera.depth, depth.elementType == .float32, depth.isContiguous else {
        continue
      }
      let values = unsafe UnsafeBufferPointer(
        start: depth.baseAddress.assumingMemoryBound(to: Float.self), count: depth.elementCount)
      let start = projection.layout.depthStarts[position]
      for point in values.indices where ranks[start + point] >= 0 {
        unsafe sum += Double(values[point])
      }
    }
    return sum
  }
}

/// float32 to 16 bits, to nearest even.
enum HalfRounding {
  static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }
  /// Values beyond the range become infinite, tiny ones subnormal.
  static func float16(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = abs(value)
    if value.isNaN { return sign | 0x7e00 }
    if magnitude >= 65_520 { return sign | 0x7c00 }
    if magnitude < 0x1p-14 {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = magnitude.bitPattern &- (112 << 23)
    return sign | UInt16(truncatingIfNeeded: (bits &+ 0xfff &+ (bits >> 13 & 1)) >> 13)
  }
}
