import Swiftlet

/// What the pipeline makes of a fault: a run with it beside a run without, frame by frame.
///
/// A fault that ends must not last: the trial says after how many frames its traces are gone from
/// the fused map and from every voxel of the occupancy window that a scan after the fault has looked
/// at. What no later scan looks at cannot be corrected and is counted apart: a scan that was written
/// to a wrong place leaves voxels there, and a window that was moved away has forgotten.
public struct FaultTrial {
  /// What was seen of one fault.
  public struct Outcome: Sendable, Encodable {
    public var fault: String
    /// The frames in which the fault happens.
    public var firstFrame: Int
    public var lastFrame: Int
    /// Every output of every frame is a number.
    public var isFinite: Bool
    /// Cells that are marked invalid hold zeros, and masked sensors are the ones expected.
    public var isValidityRight: Bool
    /// Sensors that were masked while the fault lasted.
    public var masked: [String]
    /// Codes of what the report says about it.
    public var warnings: [String]
    /// Largest share of fused cells, and of voxels known to either run, that differ from the run
    /// without it.
    public var peakFused: Double
    public var peakOccupancy: Double
    /// Frames after the fault's last one until at most `tolerance` of the fused cells, and of the
    /// voxels scanned since, differ and stays so; nil: it did not within the frames looked at.
    public var recoveryFrames: Int?
    /// The share of these that differs in the last frame looked at.
    public var residual: Double
    /// The share of the other voxels, which no scan since the fault has looked at, that differs in
    /// the last frame; and how many of all known voxels they are.
    public var residualUnseen: Double
    public var unseenShare: Double

    enum CodingKeys: String, CodingKey {
      case fault, masked, warnings, residual
      case firstFrame = "first_frame"
      case lastFrame = "last_frame"
      case isFinite = "finite"
      case isValidityRight = "validity_right"
      case peakFused = "peak_fused"
      case peakOccupancy = "peak_occupancy"
      case recoveryFrames = "recovery_frames"
      case residualUnseen = "residual_unseen"
      case unseenShare = "unseen_share"
    }
  }

  /// The share of cells that may differ once a fault is over.
  public var tolerance = 0.01
  /// A fused cell differs when a feature does by more than this part of the map's largest.
  public var featureTolerance = 0.02

  private let source: any FrameSource
  private let makeProcessor: () throws -> PipelineProcessor
  private let frames: Range<Int>
  private let maximumAgeNanoseconds: Int64
  private var clean = Run()
  /// What scans since a frame have looked at: the maps of runs that begin there.
  private var since: [Int: [MapPlanes?]] = [:]

  /// - Parameters:
  ///   - frames: the frames that are run, from the first on; keep them few, all are kept.
  ///   - maximumAgeNanoseconds: as in the recording: older samples are masked.
  public init(
    source: any FrameSource, frames: Range<Int>, maximumAgeNanoseconds: Int64 = 100_000_000,
    makeProcessor: @escaping () throws -> PipelineProcessor
  ) throws {
    self.source = source
    self.frames = frames
    self.maximumAgeNanoseconds = maximumAgeNanoseconds
    self.makeProcessor = makeProcessor
    clean = try run(source)
  }

  /// One fault of every kind, all in the same frames.
  ///
  /// - Parameters:
  ///   - camera: the camera that suffers; nil leaves cameras alone.
  ///   - lidar: the LiDAR that suffers.
  public static func standardFaults(
    camera: String?, lidar: String?, frames: ClosedRange<Int>
  ) -> [String] {
    let only = "#\(frames.lowerBound)-\(frames.upperBound)"
    var faults: [String] = []
    for sensor in [camera, lidar].compactMap(\.self) {
      faults += [
        "drop:\(sensor)@1", "late:\(sensor)@80ms", "late:\(sensor)@150ms", "duplicate:\(sensor)@1",
        "freeze:\(sensor)@1", "corrupt:\(sensor)@1", "clockjump:\(sensor)@2s",
        "rotate:\(sensor)@5deg",
      ]
    }
    if let camera { faults.append("focal:\(camera)@0.8") }
    if let lidar { faults.append("sector:\(lidar)@90deg") }
    faults += ["drop:*@1", "reorder:*@1", "clockjump:*@2s", "pose:*@5m", "pose:*@500m"]
    return faults.map { $0 + only }
  }

  /// Runs with a fault and compares.
  public mutating func outcome(of plan: FaultPlan) throws -> Outcome {
    let faulty = FaultySource(source, plan: plan, maximumAgeNanoseconds: maximumAgeNanoseconds)
    let found = try run(faulty)
    let range = plan.faults.compactMap(\.frames).first ?? frames.lowerBound...frames.upperBound - 1
    let seen = try maps(since: range.upperBound + 1)
    var differences: [Double] = []
    var peak = (fused: 0.0, occupancy: 0.0)
    var last = MapPlanes.Difference()
    for (index, (a, b)) in zip(clean.snapshots, found.snapshots).enumerated() {
      let fused = a.fusedDifference(b, featureTolerance)
      last = a.mapDifference(b, seenBy: seen[index])
      let all = share(last.differingSeen + last.differingUnseen, of: last.seen + last.unseen)
      peak = (max(peak.fused, fused), max(peak.occupancy, all))
      let isBefore = index + frames.lowerBound <= range.upperBound
      differences.append(max(fused, isBefore ? all : share(last.differingSeen, of: last.seen)))
    }
    let masked = found.masked(in: range, besides: clean)
    return Outcome(
      fault: plan.text, firstFrame: range.lowerBound, lastFrame: range.upperBound,
      isFinite: found.snapshots.allSatisfy(\.isFinite),
      isValidityRight: found.snapshots.allSatisfy(\.invalidCellsAreZero)
        && masked == expectedMasks(plan, found.ages, range), masked: masked,
      warnings: Set(found.warnings.map(\.code)).sorted(), peakFused: peak.fused,
      peakOccupancy: peak.occupancy, recoveryFrames: recovery(differences, after: range),
      residual: differences.last ?? 0,
      residualUnseen: share(last.differingUnseen, of: last.unseen),
      unseenShare: share(last.unseen, of: last.seen + last.unseen))
  }

  private func share(_ part: Int, of whole: Int) -> Double { Double(part) / Double(max(1, whole)) }

  /// The maps of a run without faults that begins at `first`, by position in `frames`; nil before.
  private mutating func maps(since first: Int) throws -> [MapPlanes?] {
    if let known = since[first] { return known }
    let before = frames.filter { $0 < first }.map { _ in MapPlanes?.none }
    let behind = first < frames.upperBound ? try run(source, from: first).snapshots : []
    let maps = before + behind.map(\.map)
    since[first] = maps
    return maps
  }

  private func recovery(_ differences: [Double], after range: ClosedRange<Int>) -> Int? {
    // A reordered frame's partner is the one behind it.
    let last = range.upperBound - frames.lowerBound
    guard let wrong = differences.lastIndex(where: { $0 > tolerance }) else { return 0 }
    guard wrong < differences.count - 1 else { return nil }
    return max(0, wrong - last)
  }

  /// Sensors that must be masked while a fault lasts: silent ones, and those whose sample is too
  /// old or from the future.
  private func expectedMasks(
    _ plan: FaultPlan, _ ages: [Int: [String: Int64]], _ range: ClosedRange<Int>
  ) -> [String] {
    var names: Set<String> = []
    for frame in range {
      for (name, age) in ages[frame] ?? [:] {
        let isSilent = plan.faults.contains { $0.kind == .drop && $0.concerns(name) }
        if isSilent || age.magnitude > maximumAgeNanoseconds.magnitude { names.insert(name) }
      }
    }
    return names.sorted()
  }

  // MARK: runs

  private struct Run {
    var snapshots: [Snapshot] = []
    var warnings: [ReplayWarning] = []
    /// Sensors that the pipeline used, by frame.
    var valid: [Int: Set<String>] = [:]
    /// By frame and sensor, of those the recording has.
    var ages: [Int: [String: Int64]] = [:]

    /// Sensors that another run's pipeline used in one of the frames and this one's did not.
    func masked(in range: ClosedRange<Int>, besides clean: Run) -> [String] {
      var names: Set<String> = []
      for frame in range {
        guard let used = clean.valid[frame], let seen = valid[frame] else { continue }
        names.formUnion(used.subtracting(seen))
      }
      return names.sorted()
    }
  }

  /// By the pipeline's own word: what a frame says of itself does not show what became of it.
  private static func usedNames(_ frame: SensorFrame, _ pipeline: FramePipeline) -> Set<String> {
    let cameras = zip(frame.cameras, pipeline.validCameras).filter(\.1).map(\.0.name)
    let lidars = zip(frame.lidars, pipeline.validLidars).filter(\.1).map(\.0.name)
    return Set(cameras + lidars)
  }
  private static func validNames(_ frame: SensorFrame) -> Set<String> {
    Set(frame.cameras.filter(\.isValid).map(\.name) + frame.lidars.filter(\.isValid).map(\.name))
  }

  private func run(_ source: any FrameSource, from first: Int? = nil) throws -> Run {
    let processor = try makeProcessor()
    let frames = max(first ?? frames.lowerBound, frames.lowerBound)..<frames.upperBound
    var run = Run()
    for index in frames {
      let owner = try source.frame(at: index)
      var frame = owner.sensorFrame
      if index == frames.lowerBound { frame.resetsHistory = true }
      for stage in processor.stages.indices { try processor.run(stage: stage, on: &frame) }
      withExtendedLifetime(owner) {}
      run.valid[index] = Self.usedNames(frame, processor.pipeline)
      run.ages[index] = try ages(frame, at: index)
      run.warnings += owner.warnings + processor.takeWarnings()
      run.snapshots.append(Snapshot(processor.pipeline))
    }
    return run
  }

  private func ages(_ frame: SensorFrame, at index: Int) throws -> [String: Int64] {
    let recorded = Self.validNames(try source.frame(at: index).sensorFrame)
    let all = frame.cameras.map { ($0.name, $0.ageNanoseconds) }
      + frame.lidars.map { ($0.name, $0.ageNanoseconds) }
    return Dictionary(uniqueKeysWithValues: all.filter { recorded.contains($0.0) })
  }

  /// The results of one frame.
  private struct Snapshot {
    var features: [Float]
    var validity: [UInt8]
    var channels: Int
    /// nil without an occupancy stage.
    var map: MapPlanes?
    var isFinite: Bool
    var invalidCellsAreZero = true

    init(_ pipeline: FramePipeline) {
      let fused = pipeline.fusedBEV
      channels = fused.channels
      features = unsafe Array(fused.features.elements)
      validity = unsafe Array(fused.validity.elements)
      isFinite = features.allSatisfy(\.isFinite)
      for map in [pipeline.cameraBEV, pipeline.lidarBEV, fused].compactMap(\.self) {
        unsafe check(Array(map.features.elements), Array(map.validity.elements))
      }
      map = pipeline.occupancy.map { MapPlanes($0) }
    }

    private mutating func check(_ features: [Float], _ validity: [UInt8]) {
      for cell in validity.indices where validity[cell] == 0 {
        let values = features[cell * channels..<(cell + 1) * channels]
        if values.contains(where: { $0 != 0 }) { invalidCellsAreZero = false }
      }
      if features.contains(where: { !$0.isFinite }) { isFinite = false }
    }

    /// The share of cells that are not as they were.
    func fusedDifference(_ other: Snapshot, _ tolerance: Double) -> Double {
      let largest = features.reduce(0) { max($0, abs($1)) }
      let limit = Float(tolerance) * max(largest, 1e-6)
      var different = 0
      for cell in validity.indices {
        let range = cell * channels..<(cell + 1) * channels
        let isSame =
          validity[cell] == other.validity[cell]
          && range.allSatisfy { abs(features[$0] - other.features[$0]) <= limit }
        if !isSame { different += 1 }
      }
      return Double(different) / Double(max(1, validity.count))
    }
    func mapDifference(_ other: Snapshot, seenBy third: MapPlanes?) -> MapPlanes.Difference {
      guard let map, let theirs = other.map else { return MapPlanes.Difference() }
      return map.difference(from: theirs, seenBy: third)
    }
  }
}
