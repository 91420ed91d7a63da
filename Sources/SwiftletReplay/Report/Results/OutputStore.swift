import Foundation
import Swiftlet

/// The outputs of some frames as `outputs/frame_NNNNNN.safetensors` in a result folder, so that two
/// runs can be compared cell by cell.
public struct OutputStore: Sendable {
  public static let folderName = "outputs"

  private let folder: URL
  /// How many frames are kept, evenly over the run; nil keeps all.
  private let frameCount: Int?

  /// - Parameter resultFolder: `outputs` is made in it, replacing an earlier run's.
  public init(resultFolder: URL, frameCount: Int?) throws {
    folder = resultFolder.appending(path: Self.folderName)
    self.frameCount = frameCount
    Self.clear(resultFolder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Removes what an earlier run kept: it would be taken for this run's.
  public static func clear(_ resultFolder: URL) {
    try? FileManager.default.removeItem(at: resultFolder.appending(path: folderName))
  }

  /// The first, the last and evenly between.
  func chosen(from indices: [Int]) -> Set<Int> {
    guard let frameCount, frameCount < indices.count else { return Set(indices) }
    guard frameCount > 1 else { return Set(indices.suffix(frameCount)) }
    return Set(
      (0..<frameCount).map { indices[$0 * (indices.count - 1) / (frameCount - 1)] })
  }

  func write(_ pipeline: FramePipeline, _ record: FrameRecord) throws {
    let file = folder.appending(path: Self.fileName(frame: record.recordedIndex))
    try Data(Self.tensors(of: pipeline, record).serialized()).write(to: file, options: .atomic)
  }

  static func fileName(frame: Int) -> String {
    let digits = String(frame)
    return "frame_" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
      + ".safetensors"
  }

  /// BEV maps [y][x][channel] with their validity [y][x]; the occupancy window [y][x][z] as int8
  /// log-odds in the window's order, −128 unknown. The metadata places both.
  static func tensors(of pipeline: FramePipeline, _ record: FrameRecord) -> SafeTensors {
    let grid = pipeline.grid
    var file = SafeTensors(
      tensors: [:],
      metadata: [
        "frame": "\(record.recordedIndex)", "timestamp_ns": "\(record.timestampNanoseconds)",
        "bev_lower_meters": "\(grid.lowerMeters.x) \(grid.lowerMeters.y)",
        "bev_step_meters": "\(grid.stepMeters.x) \(grid.stepMeters.y)",
      ])
    func add(_ map: BEVResult, _ name: String) {
      file.tensors[name] = HostTensor(
        map.features.array, shape: [map.rows, map.columns, map.channels])
      file.tensors["\(name)_validity"] = HostTensor(
        map.validity.array, shape: [map.rows, map.columns])
    }
    if let camera = pipeline.cameraBEV { add(camera, "camera_bev") }
    add(pipeline.lidarBEV, "lidar_bev")
    add(pipeline.fusedBEV, "fused_bev")
    if let occupancy = pipeline.occupancy { addVoxels(of: occupancy, to: &file) }
    return file
  }

  private static func addVoxels(
    of occupancy: OccupancyGrid, to file: inout SafeTensors
  ) {
    let (origin, counts) = (occupancy.origin, occupancy.cellCounts)
    let memory = unsafe occupancy.memory
    let columnBytes = unsafe memory.wordCount * 64
    var bytes: [UInt8] = []
    bytes.reserveCapacity(counts.x * counts.y * counts.z)
    for y in 0..<counts.y {
      let slotY = modulo(Int(origin.y) + y, counts.y)
      for x in 0..<counts.x {
        let slotX = modulo(Int(origin.x) + x, counts.x)
        let start = unsafe memory.lines + (slotY * counts.x + slotX) * columnBytes
        for z in 0..<counts.z { bytes.append(UInt8(bitPattern: unsafe start[z])) }
      }
    }
    file.tensors["occupancy"] = HostTensor(
      elementType: .int8, shape: [counts.y, counts.x, counts.z], bytes: bytes)
    file.metadata["occupancy_origin"] = "\(origin.x) \(origin.y) \(origin.z)"
    file.metadata["voxel_size_meters"] = "\(occupancy.configuration.voxelSizeMeters)"
  }

  private static func modulo(_ value: Int, _ count: Int) -> Int {
    let rest = value % count
    return rest < 0 ? rest + count : rest
  }
}
