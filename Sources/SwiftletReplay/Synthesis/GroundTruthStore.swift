import Foundation
import Swiftlet

/// The `ground_truth` folder of a synthetic drive: one `.safetensors` and one readable `.json` per
/// frame, an `index.json`, and a README that documents them.
public struct GroundTruthStore: Sendable {
  public static let schemaVersion = 1
  public let folder: URL
  /// Frame times, microseconds, in order.
  public let timestampsMicroseconds: [Int64]

  /// Opens the ground truth of a recording.
  ///
  /// - Parameter recording: the recording's folder. Nil where it has no ground truth beside it.
  public init?(recording: URL) throws {
    folder = recording.appendingPathComponent("ground_truth")
    let file = folder.appendingPathComponent("index.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let index = try Self.parse(file)
    guard index["schema_version"]?.intValue == Self.schemaVersion,
      let frames = index["frames"]?.arrayValue
    else {
      throw RecordingError(
        file: file.path, expected: "schema_version \(Self.schemaVersion) and frames",
        found: "version \(index["schema_version"]?.text ?? "none")",
        remedy: "make the drive again with this version")
    }
    timestampsMicroseconds = frames.compactMap {
      $0["timestamp_microseconds"]?.intValue.map(Int64.init)
    }
  }

  /// The frame with this LiDAR stamp, nil where there is none.
  public func frame(atMicroseconds timestamp: Int64) throws -> GroundTruthFrame? {
    guard let index = timestampsMicroseconds.firstIndex(of: timestamp) else { return nil }
    return try frame(index)
  }

  /// Reads one frame.
  ///
  /// - Precondition: `index` is below the number of frames.
  public func frame(_ index: Int) throws -> GroundTruthFrame {
    precondition(
      timestampsMicroseconds.indices.contains(index),
      "frame \(index) of \(timestampsMicroseconds.count)")
    let file = folder.appendingPathComponent(Self.name(index) + ".safetensors")
    let tensors = try SafeTensors(bytes: [UInt8](try Data(contentsOf: file))).tensors
    func damaged(_ what: String) -> RecordingError {
      RecordingError(
        file: file.path, record: what, expected: "the tensor as the README describes it",
        found: "none or another type", remedy: "make the drive again")
    }
    func keys(_ name: String) throws -> [SIMD3<Int32>] {
      guard let values = tensors[name]?.int32s(), values.count % 3 == 0 else {
        throw damaged(name)
      }
      return stride(from: 0, to: values.count, by: 3).map {
        SIMD3(values[$0], values[$0 + 1], values[$0 + 2])
      }
    }
    guard let states = tensors["ego_states"]?.uint8s() else { throw damaged("ego_states") }
    guard let mask = tensors["ego_camera_mask"]?.uint8s() else { throw damaged("ego_camera_mask") }
    guard let pose = tensors["world_from_ego"]?.doubles(), pose.count == 16 else {
      throw damaged("world_from_ego")
    }
    return GroundTruthFrame(
      index: index, timestampMicroseconds: timestampsMicroseconds[index],
      worldFromEgo: RigidTransform(
        rotation: Matrix3(
          SIMD3(pose[0], pose[1], pose[2]), SIMD3(pose[4], pose[5], pose[6]),
          SIMD3(pose[8], pose[9], pose[10])),
        translation: SIMD3(pose[3], pose[7], pose[11])),
      egoStates: states, egoCameraMask: mask, occupiedKeys: try keys("occupied_keys"),
      freeKeys: try keys("free_keys"))
  }

  private static func parse(_ file: URL) throws -> JSONValue {
    let bytes = [UInt8](try Data(contentsOf: file))
    return try JSONReader.parse(bytes)
  }
  static func name(_ index: Int) -> String {
    let digits = String(index)
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }
}

// MARK: Writing

extension GroundTruthStore {
  static func write(_ frame: SyntheticFrame, to folder: URL) throws {
    let truth = frame.groundTruth
    let counts = GroundTruthFrame.egoCounts
    let shape = [Int(counts.x), Int(counts.y), Int(counts.z)]
    func flat(_ keys: [SIMD3<Int32>]) -> HostTensor {
      HostTensor(keys.flatMap { [$0.x, $0.y, $0.z] }, shape: [keys.count, 3])
    }
    let tensors = SafeTensors(
      tensors: [
        "ego_states": HostTensor(truth.egoStates, shape: shape),
        "ego_camera_mask": HostTensor(truth.egoCameraMask, shape: shape),
        "occupied_keys": flat(truth.occupiedKeys), "free_keys": flat(truth.freeKeys),
        "world_from_ego": HostTensor(truth.worldFromEgo.rowMajor4x4, shape: [4, 4]),
      ],
      metadata: [
        "format": "swiftlet-ground-truth", "version": "\(schemaVersion)",
        "timestamp_microseconds": "\(frame.timestampMicroseconds)",
      ])
    let base = folder.appendingPathComponent(name(frame.index))
    try Data(tensors.serialized()).write(to: base.appendingPathExtension("safetensors"))
    try Data((boxes(frame).text + "\n").utf8).write(to: base.appendingPathExtension("json"))
  }

  private static func boxes(_ frame: SyntheticFrame) -> JSONValue {
    func numbers(_ v: SIMD3<Double>) -> JSONValue {
      .array([.number(v.x), .number(v.y), .number(v.z)])
    }
    return .object([
      "timestamp_microseconds": .integer(frame.timestampMicroseconds),
      "world_from_ego": .array(frame.worldFromEgo.rowMajor4x4.map(JSONValue.number)),
      "boxes": .array(
        frame.boxes.map { box in
          let q = Quaternion(rotation: box.worldFromBox.rotation).normalized
          return .object([
            "identity": .string("\(box.identity)"), "category": .string(box.category.rawValue),
            "center": numbers(box.worldFromBox.translation),
            "length_width_height": numbers(box.size),
            "rotation_wxyz": .array([.number(q.w), .number(q.x), .number(q.y), .number(q.z)]),
            "velocity": numbers(box.velocityInWorld), "is_moving": .bool(box.isMoving),
            "lidar_points": .integer(Int64(box.lidarPointCount)),
          ])
        }),
    ])
  }

  static func writeIndex(
    _ records: [SyntheticFrameRecord], drive: SyntheticDrive, to folder: URL
  ) throws {
    let index = JSONValue.object([
      "schema_version": .integer(Int64(schemaVersion)),
      "seed": .string("\(drive.options.seed)"),
      "voxel_size_meters": .number(0.4),
      "frames": .array(
        records.map { record in
          .object([
            "index": .integer(Int64(record.index)),
            "timestamp_microseconds": .integer(record.timestampMicroseconds),
            "points": .integer(Int64(record.pointCount)),
            "file": .string(name(record.index) + ".safetensors"),
          ])
        }),
    ])
    try Data((index.text + "\n").utf8).write(to: folder.appendingPathComponent("index.json"))
    try Data(readme.utf8).write(to: folder.appendingPathComponent("README.md"))
  }

  private static let readme = """
    # Ground truth of a synthetic drive

    Made by `swiftlet synth`; exact up to the scene's own definition. Noise-free rays of each frame's
    LiDAR sweep (all beams, no dropouts, every ray at its own time) meet the exact geometry.

    `index.json`: version, seed, and the frames with their LiDAR time stamps in microseconds.

    `NNNNNN.safetensors`, one a frame:

    | tensor | type | content |
    |---|---|---|
    | ego_states | uint8 [200][200][16] as [x][y][z] | 0 not seen, 1 free, 2 occupied, 3 touched (rays pass, geometry reaches in, no ray ends there: not scored). Window of the ego frame (x forward, y left, z up) at the frame's time, x and y from -40 m, z from -1 m, 0.4 m voxels: Occ3D's grid |
    | ego_camera_mask | uint8, same shape | 1 where a camera ray (every fourth pixel) crosses the voxel up to and including the first surface and the sweep saw it |
    | occupied_keys | int32 [N][3] | world voxels, key = floor(coordinate / 0.4), in which a ray ends on a surface |
    | free_keys | int32 [M][3] | world voxels that rays pass and no geometry touches |
    | world_from_ego | float64 [4][4] | ego pose at the frame's time |

    World keys cover 40 m around the ego, from 4 m below to 8.8 m above it. Moving things stand where
    they were when each ray met them.

    `NNNNNN.json`, one a frame: every annotated box in world coordinates: centre, length, width, height,
    rotation (w x y z), velocity in metres per second (the flow of all its points), LiDAR returns.

    `lidarseg/` beside this folder has the class of every LiDAR point, one uint8 a point in nuScenes-
    lidarseg's numbers (`index` of `category.json`).

    With `--raw-sweep` the LiDAR points are in the sensor's axes at each firing's own time, and
    `samples/LIDAR_TOP/*.pcd.bin.times` holds one little-endian float32 a point: seconds relative to
    the scan's time stamp, negative within the sweep. Without it points are already corrected.

    """
}
