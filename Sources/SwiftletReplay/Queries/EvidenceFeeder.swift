import Foundation
import Swiftlet

/// What a window is fed from.
public enum EvidenceSource: String, Sendable, CaseIterable {
  case lidar
  /// `depth` or `depth_logits` of the cameras' network outputs.
  case depth
  /// `network_outputs/OCCUPANCY/<nanoseconds>.safetensors`: `logits` float [x][y][z], Occ3D's grid.
  case occupancy
  /// `network_outputs/RADAR/<nanoseconds>.safetensors`: `points` float [n][3], ego axes.
  case radar
}

/// What a source gave.
public struct EvidenceCount: Sendable, Equatable {
  public var frameCount = 0
  /// Points, or voxels that took a logit.
  public var itemCount = 0
}

/// Folds a recording's LiDARs and network outputs into a window, each with its own sensor model. What
/// a frame lacks changes nothing.
public final class EvidenceFeeder {
  public struct Settings: Sendable {
    public var sources: Set<EvidenceSource> = [.lidar]
    /// Lower end and step of the cameras' depth bins, metres: BEVDet's.
    public var depthLowerMeters: Float = 1
    public var depthStepMeters: Float = 0.5
    /// Half the radar's beam in azimuth and elevation, radians.
    public var radarHalfWidthRadians = SIMD2<Float>(0.03, 0.1)
    public init() {}
  }
  public let settings: Settings
  public private(set) var counts: [EvidenceSource: EvidenceCount] = [:]
  private let occupancy: EvidenceFolder
  private let radar: EvidenceFolder
  private let points = EvidencePoints(capacity: 262_144)
  private var rays: [String: AlignedBuffer<Float>] = [:]

  /// - Parameter path: of the recording.
  public init(path: String, settings: Settings = Settings()) {
    self.settings = settings
    occupancy = EvidenceFolder(recording: path, name: "OCCUPANCY")
    radar = EvidenceFolder(recording: path, name: "RADAR")
  }

  /// One frame: re-centre, then LiDARs, depth, radar and logits in this order.
  ///
  /// - Throws: the first error of a source, after all that can be read has been folded in.
  public func insert(_ frame: SensorFrame, into grid: OccupancyGrid) throws(RecordingError) {
    grid.advance(toNanoseconds: frame.timestampNanoseconds)
    grid.recenter(onWorld: frame.worldFromEgo.translation)
    var first: RecordingError?
    for source in [EvidenceSource.lidar, .depth, .radar, .occupancy]
    where settings.sources.contains(source) {
      do throws(RecordingError) {
        try add(source, frame, grid)
      } catch {
        first = first ?? error
      }
    }
    if let first { throw first }
  }

  private func add(
    _ source: EvidenceSource, _ frame: SensorFrame, _ grid: OccupancyGrid
  ) throws(RecordingError) {
    switch source {
    case .lidar: addLidars(frame, grid)
    case .depth: addDepth(frame, grid)
    case .radar: try addRadar(frame, grid)
    case .occupancy: try addLogits(frame, grid)
    }
  }

  private func note(_ source: EvidenceSource, _ items: Int) {
    counts[source, default: EvidenceCount()].frameCount += 1
    counts[source, default: EvidenceCount()].itemCount += items
  }

  private func addLidars(_ frame: SensorFrame, _ grid: OccupancyGrid) {
    var count = 0
    for lidar in frame.lidars where lidar.isValid {
      grid.add(
        lidar.points, worldFromLidar: lidar.worldFromLidar, egoFromLidar: lidar.egoFromLidar)
      count += lidar.points.count
    }
    grid.fold()
    if count > 0 { note(.lidar, count) }
  }

  private func addDepth(_ frame: SensorFrame, _ grid: OccupancyGrid) {
    var count = 0
    for camera in frame.cameras where camera.isValid && camera.keyEgoFromCamera.isFinite {
      guard let view = camera.depth else { continue }
      points.clear()
      points.append(
        depth: Self.probabilities(view, areLogits: camera.depthIsLogits),
        rays: rays(of: camera, rows: view.shape.1, columns: view.shape.2),
        binCount: view.shape.0, lowerMeters: settings.depthLowerMeters,
        stepMeters: settings.depthStepMeters)
      grid.add(points.view, worldFromLidar: frame.worldFromEgo * camera.keyEgoFromCamera)
      count += points.count
    }
    grid.fold(model: .cameraDepth)
    if count > 0 { note(.depth, count) }
  }

  private func addRadar(_ frame: SensorFrame, _ grid: OccupancyGrid) throws(RecordingError) {
    guard let (tensor, file) = try radar.tensor("points", at: frame.timestampNanoseconds) else {
      return
    }
    guard let values = tensor.floats(), tensor.shape.count == 2, tensor.shape[1] == 3 else {
      throw RecordingError(
        file: file, record: "points", expected: "F32 or F16 of shape [n, 3]",
        found: "\(tensor.elementType.rawValue) of shape \(tensor.shape)",
        remedy: "export x, y, z in ego axes")
    }
    points.clear()
    for index in 0..<values.count / 3 {
      points.append(
        radar: SIMD3(values[3 * index], values[3 * index + 1], values[3 * index + 2]),
        halfWidthRadians: settings.radarHalfWidthRadians,
        spacingMeters: Float(grid.configuration.voxelSizeMeters) / 2)
    }
    grid.add(points.view, worldFromLidar: frame.worldFromEgo)
    grid.fold(model: .radar)
    note(.radar, values.count / 3)
  }

  private func addLogits(_ frame: SensorFrame, _ grid: OccupancyGrid) throws(RecordingError) {
    guard let (tensor, file) = try occupancy.tensor("logits", at: frame.timestampNanoseconds) else {
      return
    }
    let model = NetworkOccupancyModel()
    let n = model.cellCounts
    guard let values = tensor.floats(), tensor.shape == [n.x, n.y, n.z] else {
      throw RecordingError(
        file: file, record: "logits", expected: "F32 or F16 of shape [\(n.x), \(n.y), \(n.z)]",
        found: "\(tensor.elementType.rawValue) of shape \(tensor.shape)",
        remedy: "export [x, y, z] in ego axes as Occ3D does, above 0 for occupied")
    }
    let taken = grid.add(
      logits: AlignedBuffer(values), worldFromEgo: frame.worldFromEgo, model: model)
    note(.occupancy, taken)
  }

  // MARK: cameras

  /// x/z and y/z of every depth cell's middle, [y][x][2]; a camera's are made once.
  private func rays(of camera: CameraInput, rows: Int, columns: Int) -> AlignedBuffer<Float> {
    if let known = rays[camera.name], known.count == 2 * rows * columns { return known }
    let back = camera.augmentation.inverse
    let step = SIMD2(
      Double(camera.networkWidthPixels) / Double(columns),
      Double(camera.networkHeightPixels) / Double(rows))
    var pixels: [Double] = []
    for row in 0..<rows {
      for column in 0..<columns {
        let raw = back.applied(to: (SIMD2(Double(column), Double(row)) + 0.5) * step)
        pixels += [raw.x, raw.y]
      }
    }
    let made = AlignedBuffer(
      camera.intrinsics.rays(of: pixels, engine: .reference).map { Float($0) })
    rays[camera.name] = made
    return made
  }

  /// [bin][pixel], the softmax of logits.
  private static func probabilities(
    _ view: TensorView, areLogits: Bool
  ) -> AlignedBuffer<Float> {
    let (bins, rows, columns) = view.shape
    let values = AlignedBuffer<Float>(count: bins * rows * columns)
    for bin in 0..<bins {
      for row in 0..<rows {
        for column in 0..<columns {
          let at = bin * view.strides.0 + row * view.strides.1 + column * view.strides.2
          values[(bin * rows + row) * columns + column] = unsafe element(view, at)
        }
      }
    }
    guard areLogits else { return values }
    for pixel in 0..<rows * columns {
      let cells = stride(from: pixel, to: values.count, by: rows * columns)
      let highest = cells.reduce(-Float.infinity) { max($0, values[$1]) }
      var sum: Float = 0
      for cell in cells {
        values[cell] = exp(values[cell] - highest)
        sum += values[cell]
      }
      for cell in cells { values[cell] /= sum }
    }
    return values
  }

  @unsafe
  private static func element(_ view: TensorView, _ index: Int) -> Float {
    let base = unsafe view.baseAddress
    switch view.elementType {
    case .float32: return unsafe base.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
    case .float16:
      let bits = unsafe base.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
      return Widening.halfReference(bits)
    case .bfloat16:
      let bits = unsafe base.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
      return Float(bitPattern: UInt32(bits) << 16)
    case .uint8: return .nan
    }
  }

  /// What each source gave, in one line.
  public var text: String {
    EvidenceSource.allCases.filter { settings.sources.contains($0) }.map { source in
      let count = counts[source] ?? EvidenceCount()
      let items = source == .occupancy ? "voxel updates" : "points"
      return "\(source.rawValue): \(count.frameCount) frames, \(count.itemCount) \(items)"
    }.joined(separator: "; ")
  }
}

/// Tensors by time beside a recording: `network_outputs/<name>/<nanoseconds>.safetensors`.
struct EvidenceFolder {
  static let maximumAgeNanoseconds: Int64 = 100_000_000
  private let folder: String
  /// By time.
  private let files: [(time: Int64, name: String)]

  init(recording: String, name: String) {
    folder = "\(recording)/\(NetworkOutputs.folderName)/\(name)"
    files = RecordingFile.names(in: folder).compactMap { name in
      guard name.hasSuffix(".safetensors") || name.hasSuffix(".npz"),
        let time = Int64(RecordingFile.stem(name)), RecordingTime.isPlausible(time)
      else { return nil }
      return (time, name)
    }.sorted { ($0.time, $0.name) < ($1.time, $1.name) }
  }

  /// The file nearest in time, no farther than the maximum age; nil where there is none.
  func file(at time: Int64, hasSuffix suffix: String = "") -> String? {
    let own = files.filter { $0.name.hasSuffix(suffix) }
    guard RecordingTime.isPlausible(time),
      let nearest = own.min(by: { abs($0.time - time) < abs($1.time - time) }),
      abs(nearest.time - time) <= Self.maximumAgeNanoseconds
    else { return nil }
    return "\(folder)/\(nearest.name)"
  }

  static func tensors(_ file: String) throws(RecordingError) -> [String: HostTensor] {
    let bytes = try RecordingFile.read(file)
    do throws(WeightsError) {
      return try SafeTensors(bytes: bytes).tensors
    } catch {
      throw RecordingError(
        file: file, record: error.tensor, expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
  }

  /// The tensor nearest in time, no farther than the maximum age; nil where there is none.
  func tensor(
    _ name: String, at time: Int64
  ) throws(RecordingError) -> (tensor: HostTensor, file: String)? {
    guard let file = file(at: time, hasSuffix: ".safetensors") else { return nil }
    let tensors = try Self.tensors(file)
    if let tensor = tensors[name] { return (tensor, file) }
    throw RecordingError(
      file: file, record: name, expected: "a tensor of this name",
      found: tensors.keys.sorted().joined(separator: " "), remedy: "rename the tensor")
  }
}
