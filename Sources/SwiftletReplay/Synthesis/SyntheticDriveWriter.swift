import Foundation
import Swiftlet
import Synchronization

/// Writes a synthetic drive as a nuScenes v1.0 data set with its ground truth beside it.
public struct SyntheticDriveWriter: Sendable {
  /// Folder of the tables; readers that ask for a version find this one.
  public static let version = "v1.0-mini"
  /// What is written at the top of the folder, and what overwriting replaces.
  static let ownFolders = [version, "samples", "maps", "lidarseg", "ground_truth"]

  public let drive: SyntheticDrive
  public let frameCount: Int
  public let folder: URL

  /// - Precondition: `frameCount` is above 0.
  public init(drive: SyntheticDrive, frameCount: Int, folder: URL) {
    precondition(frameCount > 0, "a drive of \(frameCount) frames")
    self.drive = drive
    self.frameCount = frameCount
    self.folder = folder
  }

  /// Writes everything, several frames at a time; the result does not depend on how many.
  ///
  /// - Parameters:
  ///   - overwrites: replace the drive that is there. Other files in the folder stay.
  ///   - threadCount: frames made at the same time.
  ///   - progress: called with the number of frames done, from any thread.
  public func write(
    overwrites: Bool = false,
    threadCount: Int = ProcessInfo.processInfo.activeProcessorCount,
    progress: @Sendable @escaping (Int) -> Void = { _ in }
  ) throws {
    try prepareFolder(overwrites: overwrites)
    let collected = Mutex<Collected>(Collected())
    let count = frameCount
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threadCount, count))) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count, collected.withLock({ $0.failure == nil }) else { return }
        do {
          let record = try writeFrame(index)
          let done = collected.withLock { state in
            state.records[index] = record
            return state.records.count
          }
          progress(done)
        } catch {
          collected.withLock { $0.failure = $0.failure ?? "\(error)" }
        }
      }
    }
    let result = collected.withLock { $0 }
    if let failure = result.failure { throw writeError(failure) }
    let records = (0..<count).compactMap { result.records[$0] }
    try SyntheticTables(drive: drive, records: records).write(
      to: folder.appendingPathComponent(Self.version))
    try writeMap()
    try GroundTruthStore.writeIndex(records, drive: drive, to: groundTruthFolder)
  }

  private struct Collected {
    var records: [Int: SyntheticFrameRecord] = [:]
    var failure: String?
  }
  private var groundTruthFolder: URL { folder.appendingPathComponent("ground_truth") }

  private func prepareFolder(overwrites: Bool) throws {
    let files = FileManager.default
    let present = Self.ownFolders.filter {
      files.fileExists(atPath: folder.appendingPathComponent($0).path)
    }
    if !present.isEmpty {
      guard overwrites else {
        throw RecordingError(
          file: folder.path, expected: "a folder without a drive",
          found: "one that holds \(present.joined(separator: ", "))",
          remedy: "give another folder, or --force to replace the drive")
      }
      for name in present { try files.removeItem(at: folder.appendingPathComponent(name)) }
    }
    var folders = drive.rig.cameras.map { "samples/\($0.name)" }
    folders += ["samples/\(drive.rig.lidar.name)", Self.version, "maps", "ground_truth"]
    folders.append(SyntheticTables.labelFolder)
    for name in folders {
      try files.createDirectory(
        at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
    }
  }

  private func writeFrame(_ index: Int) throws -> SyntheticFrameRecord {
    let frame = drive.frame(index)
    for camera in frame.cameras {
      let bytes = try JPEGCodec.encode(camera.image, quality: drive.options.jpegQuality)
      try write(
        bytes,
        to: SyntheticFrameRecord.fileName(
          drive: drive, sensor: camera.name, microseconds: camera.timestampMicroseconds))
    }
    let scan = SyntheticFrameRecord.fileName(
      drive: drive, sensor: drive.rig.lidar.name, microseconds: frame.timestampMicroseconds)
    try write(HostTensor(frame.points, shape: [frame.points.count]).bytes, to: scan)
    if drive.options.writesRawSweep {
      try write(
        HostTensor(frame.pointTimes, shape: [frame.pointTimes.count]).bytes, to: scan + ".times")
    }
    try write(frame.pointLabels, to: SyntheticTables.labelFile(drive: drive, frame: index))
    try GroundTruthStore.write(frame, to: groundTruthFolder)
    return SyntheticFrameRecord(frame)
  }

  private func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: folder.appendingPathComponent(name))
  }
  private func writeMap() throws {
    let blank = RGBImage(widthPixels: 16, heightPixels: 16)
    try write(try PNGCodec.encode(blank), to: SyntheticTables.mapFile)
  }
  private func writeError(_ failure: String) -> RecordingError {
    RecordingError(
      file: folder.path, expected: "to write every frame", found: failure,
      remedy: "check the disk's space and permissions")
  }
}

/// What the tables need to know of a frame that is already on disk.
struct SyntheticFrameRecord: Sendable {
  var index: Int
  var timestampMicroseconds: Int64
  var worldFromEgo: RigidTransform
  var cameras: [(name: String, timestampMicroseconds: Int64, worldFromEgo: RigidTransform)]
  var pointCount: Int
  var boxes: [SyntheticFrame.Box]

  init(_ frame: SyntheticFrame) {
    index = frame.index
    timestampMicroseconds = frame.timestampMicroseconds
    worldFromEgo = frame.worldFromEgo
    cameras = frame.cameras.map { ($0.name, $0.timestampMicroseconds, $0.worldFromEgo) }
    pointCount = frame.pointTimes.count
    boxes = frame.boxes
  }

  /// Path below the data set's root, as nuScenes names files.
  static func fileName(drive: SyntheticDrive, sensor: String, microseconds: Int64) -> String {
    let suffix = sensor == drive.rig.lidar.name ? "pcd.bin" : "jpg"
    return "samples/\(sensor)/synth-\(drive.options.seed)__\(sensor)__\(microseconds).\(suffix)"
  }
}
