import Foundation
import Swiftlet

/// Writes a drive as the plain tensors a pipeline takes, for consumers that link the C library and
/// know no recordings: `pipeline.json`, `rig.safetensors` and a `frame-NNNNNN.safetensors` each.
///
/// The layout is `swiftlet_frame_file_open`'s. Features and depth are the recording's network
/// outputs, the built-in encoder's where there are none.
public struct FrameExporter {
  /// Version of the files' layout.
  public static let version = 1

  private let processor: PipelineProcessor
  private let folder: URL

  /// - Parameter processor: encodes; its pipeline processes nothing.
  public init(processor: PipelineProcessor, folder: URL) throws {
    self.processor = processor
    self.folder = folder
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(processor.pipeline.configuration.commentedJSON.utf8)
      .write(to: folder.appendingPathComponent("pipeline.json"))
  }

  /// Writes one frame; the first also writes the rig. Returns the frame file's size in bytes.
  @discardableResult
  public func write(_ given: SensorFrame, index: Int) throws -> Int {
    var frame = given
    try processor.run(stage: 0, on: &frame)
    if index == 0 {
      try Data(Self.rig(frame).serialized())
        .write(to: folder.appendingPathComponent("rig.safetensors"))
    }
    let bytes = Self.tensors(of: frame).serialized()
    let digits = String(index)
    let name = "frame-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    try Data(bytes).write(to: folder.appendingPathComponent("\(name).safetensors"))
    return bytes.count
  }

  // MARK: rig

  static func rig(_ frame: SensorFrame) -> SafeTensors {
    var file = SafeTensors(tensors: [:], metadata: metadata("swiftlet-rig", frame))
    for (index, camera) in frame.cameras.enumerated() {
      let prefix = "camera.\(index)"
      let k = camera.intrinsics
      let (lens, distortion) = lensNumbers(k.lens)
      let a = camera.augmentation
      file.metadata["\(prefix).name"] = camera.name
      file.tensors["\(prefix).intrinsics"] = HostTensor(
        [k.focalX, k.focalY, k.centerX, k.centerY], shape: [4])
      file.tensors["\(prefix).lens"] = HostTensor([lens], shape: [1])
      file.tensors["\(prefix).distortion"] = HostTensor(distortion, shape: [distortion.count])
      let size = featureSize(camera)
      file.tensors["\(prefix).sizes"] = HostTensor(
        [
          k.widthPixels, k.heightPixels, camera.networkWidthPixels, camera.networkHeightPixels,
          size.x, size.y,
        ].map(Int64.init), shape: [6])
      file.tensors["\(prefix).network_from_raw"] = HostTensor(
        [a.a00, a.a01, a.tx, a.a10, a.a11, a.ty], shape: [2, 3])
      file.tensors["\(prefix).ego_from_camera"] = rows(camera.egoFromCamera)
    }
    for (index, lidar) in frame.lidars.enumerated() {
      file.metadata["lidar.\(index).name"] = lidar.name
      file.tensors["lidar.\(index).ego_from_lidar"] = rows(lidar.egoFromLidar)
    }
    // SWIFTLET_RIG_RADAR_MAP and SWIFTLET_RIG_MAP_PRIOR.
    let maps = frame.bevMaps.reduce(0) { $0 | ($1.kind == .radar ? 1 : 2) }
    file.tensors["rig.flags"] = HostTensor([Int64(maps)], shape: [1])
    return file
  }

  private static func lensNumbers(_ lens: LensModel) -> (Int64, [Double]) {
    switch lens {
    case .pinhole: (0, [])
    case .brownConrady(let k): (1, k)
    case .kannalaBrandt(let k): (2, k)
    case .fTheta(let k): (3, k)
    case .fThetaInverse(let k): (4, k)
    }
  }

  private static func featureSize(_ camera: CameraInput) -> SIMD2<Int> {
    if let shape = camera.features?.shape { return SIMD2(shape.1, shape.0) }
    return SIMD2(camera.networkWidthPixels, camera.networkHeightPixels) / BuiltInEncoder.stride
  }

  private static func metadata(_ format: String, _ frame: SensorFrame) -> [String: String] {
    [
      "format": format, "version": "\(version)", "cameras": "\(frame.cameras.count)",
      "lidars": "\(frame.lidars.count)", "maps": "\(frame.bevMaps.count)",
    ]
  }

  /// [R | t], row-major.
  private static func rows(_ transform: RigidTransform) -> HostTensor {
    HostTensor(Array(transform.rowMajor4x4.prefix(12)), shape: [3, 4])
  }

  // MARK: frame

  static func tensors(of frame: SensorFrame) -> SafeTensors {
    var file = SafeTensors(tensors: [:], metadata: metadata("swiftlet-frame", frame))
    file.tensors["frame.timestamp"] = HostTensor([frame.timestampNanoseconds], shape: [1])
    file.tensors["frame.flags"] = HostTensor([Int64(frame.resetsHistory ? 1 : 0)], shape: [1])
    file.tensors["frame.world_from_ego"] = rows(frame.worldFromEgo)
    for (index, camera) in frame.cameras.enumerated() {
      let prefix = "camera.\(index)"
      let flags = (camera.isValid ? 1 : 0) | (camera.depthIsLogits ? 2 : 0)
      file.tensors["\(prefix).flags"] = HostTensor([Int64(flags)], shape: [1])
      guard camera.isValid else { continue }
      file.tensors["\(prefix).timestamp"] = HostTensor(
        [frame.timestampNanoseconds &- camera.ageNanoseconds], shape: [1])
      file.tensors["\(prefix).key_ego_from_camera"] = rows(camera.keyEgoFromCamera)
      file.tensors["\(prefix).features"] = camera.features.map(copy)
      file.tensors["\(prefix).depth"] = camera.depth.map(copy)
    }
    for (index, lidar) in frame.lidars.enumerated() {
      let prefix = "lidar.\(index)"
      file.tensors["\(prefix).flags"] = HostTensor([Int64(lidar.isValid ? 1 : 0)], shape: [1])
      guard lidar.isValid else { continue }
      file.tensors["\(prefix).timestamp"] = HostTensor(
        [frame.timestampNanoseconds &- lidar.ageNanoseconds], shape: [1])
      file.tensors["\(prefix).world_from_lidar"] = rows(lidar.worldFromLidar)
      file.tensors["\(prefix).points"] = copy(lidar.points)
    }
    for (index, map) in frame.bevMaps.enumerated() {
      add(map, "map.\(index)", frame.timestampNanoseconds, to: &file)
    }
    return file
  }

  private static func add(
    _ map: BEVMapInput, _ prefix: String, _ time: Int64, to file: inout SafeTensors
  ) {
    file.tensors["\(prefix).kind"] = HostTensor([map.kind == .radar ? Int64(0) : 1], shape: [1])
    file.tensors["\(prefix).flags"] = HostTensor([map.isValid ? Int64(1) : 0], shape: [1])
    guard map.isValid else { return }
    file.tensors["\(prefix).timestamp"] = HostTensor([time &- map.ageNanoseconds], shape: [1])
    file.tensors["\(prefix).world_from_ego"] = rows(map.worldFromEgo)
    file.tensors["\(prefix).features"] = copy(map.features)
    file.tensors["\(prefix).validity"] = map.validity.map(copy)
  }

  /// The tensor, tight, in its own element type.
  private static func copy(_ view: TensorView) -> HostTensor {
    let width = view.elementType.byteCount
    var bytes: [UInt8] = []
    bytes.reserveCapacity(view.elementCount * width)
    for i in 0..<view.shape.0 {
      for j in 0..<view.shape.1 {
        for k in 0..<view.shape.2 {
          let offset = (i * view.strides.0 + j * view.strides.1 + k * view.strides.2) * width
          let element = unsafe UnsafeRawBufferPointer(start: view.baseAddress + offset, count: width)
          unsafe bytes.append(contentsOf: element)
        }
      }
    }
    let type: SafeTensorType =
      switch view.elementType {
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .uint8: .uint8
      }
    return HostTensor(
      elementType: type, shape: [view.shape.0, view.shape.1, view.shape.2], bytes: bytes)
  }

  /// [point][x y z (intensity)] float32.
  private static func copy(_ points: PointCloudView) -> HostTensor {
    var offsets = [points.xByteOffset, points.yByteOffset, points.zByteOffset]
    if points.intensityByteOffset >= 0 { offsets.append(points.intensityByteOffset) }
    var values: [Float] = []
    values.reserveCapacity(points.count * offsets.count)
    for index in 0..<points.count {
      for offset in offsets { values.append(unsafe points.value(index, offset)) }
    }
    return HostTensor(values, shape: [points.count, offsets.count])
  }
}
