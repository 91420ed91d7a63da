import CSwiftlet
import Swiftlet

/// A frame or rig file read in place: the structures it hands out live as long as the handle.
@safe
final class FrameFileHandle: Handle {
  private let file: UnsafeRawBufferPointer
  private let layout: SafeTensorsLayout
  private var names = unsafe [UnsafeMutablePointer<CChar>]()
  private let cameras: UnsafeMutablePointer<swiftlet_camera>
  private let lidars: UnsafeMutablePointer<swiftlet_lidar>
  private let cameraFrames: UnsafeMutablePointer<swiftlet_camera_frame>
  private let lidarFrames: UnsafeMutablePointer<swiftlet_lidar_frame>
  private let mapFrames: UnsafeMutablePointer<swiftlet_bev_frame>
  let rig: UnsafeMutablePointer<swiftlet_rig>
  let frame: UnsafeMutablePointer<swiftlet_frame>
  private(set) var isRig = false

  private static let mostCameras = 12
  private static let mostLidars = 8
  private static let mostMaps = 2

  init(_ file: UnsafeRawBufferPointer) throws(Failure) {
    unsafe self.file = file
    do throws(WeightsError) { layout = unsafe try SafeTensorsLayout(bytes: file) } catch {
      throw Failure(Int(SWIFTLET_ERROR_FORMAT), "\(error)")
    }
    unsafe cameras = .allocate(capacity: Self.mostCameras)
    unsafe lidars = .allocate(capacity: Self.mostLidars)
    unsafe cameraFrames = .allocate(capacity: Self.mostCameras)
    unsafe lidarFrames = .allocate(capacity: Self.mostLidars)
    unsafe mapFrames = .allocate(capacity: Self.mostMaps)
    unsafe rig = .allocate(capacity: 1)
    unsafe frame = .allocate(capacity: 1)
    unsafe swiftlet_rig_init(rig)
    unsafe swiftlet_frame_init(frame)
    super.init()
    try read()
  }

  deinit {
    for unsafe name in unsafe names { unsafe name.deallocate() }
    unsafe cameras.deallocate()
    unsafe lidars.deallocate()
    unsafe cameraFrames.deallocate()
    unsafe lidarFrames.deallocate()
    unsafe mapFrames.deallocate()
    unsafe rig.deallocate()
    unsafe frame.deallocate()
  }

  private func read() throws(Failure) {
    let format = layout.metadata["format"] ?? "none"
    guard ["swiftlet-rig", "swiftlet-frame"].contains(format), layout.metadata["version"] == "1"
    else {
      throw .format(
        "metadata", "swiftlet-rig or swiftlet-frame of version 1",
        "\(format) of version \(layout.metadata["version"] ?? "none")")
    }
    isRig = format == "swiftlet-rig"
    let cameraCount = try count("cameras", Self.mostCameras)
    let lidarCount = try count("lidars", Self.mostLidars)
    if isRig {
      try readRig(cameraCount, lidarCount)
    } else {
      let mapCount = layout.metadata["maps"] == nil ? 0 : try count("maps", Self.mostMaps)
      try readFrame(cameraCount, lidarCount, mapCount)
    }
  }

  private func count(_ key: String, _ most: Int) throws(Failure) -> Int {
    guard let count = layout.metadata[key].flatMap({ Int($0) }), (0...most).contains(count) else {
      throw .format("metadata \(key)", "0 to \(most)", layout.metadata[key] ?? "none")
    }
    return count
  }

  // MARK: rig

  private func readRig(_ cameraCount: Int, _ lidarCount: Int) throws(Failure) {
    for index in 0..<cameraCount {
      var c = unsafe swiftlet_camera()
      unsafe swiftlet_camera_init(&c)
      let prefix = "camera.\(index)"
      unsafe c.name = unsafe name("\(prefix).name")
      let k = try doubles("\(prefix).intrinsics", 4)
      unsafe (c.focal_x, c.focal_y, c.center_x, c.center_y) = (k[0], k[1], k[2], k[3])
      let sizes = try integers("\(prefix).sizes", 6).map { Int32(clamping: $0) }
      unsafe (c.width, c.height, c.network_width) = (sizes[0], sizes[1], sizes[2])
      unsafe (c.network_height, c.feature_width, c.feature_height) = (sizes[3], sizes[4], sizes[5])
      unsafe c.lens = Int32(clamping: try integers("\(prefix).lens", 1)[0])
      let d = try doubles("\(prefix).distortion", nil)
      guard d.count <= 8 else { throw .format("\(prefix).distortion", "at most 8", "\(d.count)") }
      unsafe c.distortion_count = Int32(d.count)
      unsafe withUnsafeMutableBytes(of: &c.distortion) { unsafe $0.storeDoubles(d) }
      let a = try doubles("\(prefix).network_from_raw", 6)
      unsafe withUnsafeMutableBytes(of: &c.network_from_raw) { unsafe $0.storeDoubles(a) }
      unsafe c.ego_from_camera = try pose("\(prefix).ego_from_camera")
      unsafe (cameras + index).initialize(to: c)
    }
    for index in 0..<lidarCount {
      var l = unsafe swiftlet_lidar()
      unsafe swiftlet_lidar_init(&l)
      unsafe l.name = unsafe name("lidar.\(index).name")
      unsafe l.ego_from_lidar = try pose("lidar.\(index).ego_from_lidar")
      unsafe (lidars + index).initialize(to: l)
    }
    unsafe rig.pointee.cameras = unsafe UnsafePointer(cameras)
    unsafe rig.pointee.camera_count = UInt32(cameraCount)
    unsafe rig.pointee.lidars = unsafe UnsafePointer(lidars)
    unsafe rig.pointee.lidar_count = UInt32(lidarCount)
    if layout.entries["rig.flags"] != nil {
      unsafe rig.pointee.flags = UInt32(clamping: try integers("rig.flags", 1)[0])
    }
  }

  /// A metadata string as C has it.
  @unsafe
  private func name(_ key: String) -> UnsafePointer<CChar> {
    let utf8 = Array((layout.metadata[key] ?? key).utf8.prefix(255))
    let place = UnsafeMutablePointer<CChar>.allocate(capacity: utf8.count + 1)
    for (index, byte) in utf8.enumerated() { unsafe place[index] = CChar(bitPattern: byte) }
    unsafe place[utf8.count] = 0
    unsafe names.append(place)
    return unsafe UnsafePointer(place)
  }

  // MARK: frame

  private func readFrame(
    _ cameraCount: Int, _ lidarCount: Int, _ mapCount: Int
  ) throws(Failure) {
    for index in 0..<mapCount {
      unsafe (mapFrames + index).initialize(to: try map("map.\(index)"))
    }
    for index in 0..<cameraCount {
      unsafe (cameraFrames + index).initialize(to: try camera("camera.\(index)"))
    }
    for index in 0..<lidarCount {
      unsafe (lidarFrames + index).initialize(to: try lidar("lidar.\(index)"))
    }
    unsafe frame.pointee.flags = UInt32(clamping: try integers("frame.flags", 1)[0])
    unsafe frame.pointee.timestamp_ns = try integers("frame.timestamp", 1)[0]
    unsafe frame.pointee.world_from_ego = try pose("frame.world_from_ego")
    unsafe frame.pointee.cameras = unsafe UnsafePointer(cameraFrames)
    unsafe frame.pointee.camera_count = UInt32(cameraCount)
    unsafe frame.pointee.lidars = unsafe UnsafePointer(lidarFrames)
    unsafe frame.pointee.lidar_count = UInt32(lidarCount)
    unsafe frame.pointee.maps = unsafe UnsafePointer(mapFrames)
    unsafe frame.pointee.map_count = UInt32(mapCount)
  }

  private func camera(_ prefix: String) throws(Failure) -> swiftlet_camera_frame {
    var c = unsafe swiftlet_camera_frame()
    unsafe swiftlet_camera_frame_init(&c)
    unsafe c.flags = UInt32(clamping: try integers("\(prefix).flags", 1)[0])
    guard unsafe c.flags & UInt32(SWIFTLET_SENSOR_VALID) != 0 else { return unsafe c }
    unsafe c.timestamp_ns = try integers("\(prefix).timestamp", 1)[0]
    unsafe c.key_ego_from_camera = try pose("\(prefix).key_ego_from_camera")
    unsafe c.features = try tensor("\(prefix).features")
    unsafe c.depth = try tensor("\(prefix).depth")
    return unsafe c
  }

  private func lidar(_ prefix: String) throws(Failure) -> swiftlet_lidar_frame {
    var l = unsafe swiftlet_lidar_frame()
    unsafe swiftlet_lidar_frame_init(&l)
    unsafe l.flags = UInt32(clamping: try integers("\(prefix).flags", 1)[0])
    guard unsafe l.flags & UInt32(SWIFTLET_SENSOR_VALID) != 0 else { return unsafe l }
    unsafe l.timestamp_ns = try integers("\(prefix).timestamp", 1)[0]
    unsafe l.world_from_lidar = try pose("\(prefix).world_from_lidar")
    let points = try entry("\(prefix).points")
    guard points.elementType == .float32, points.shape.count == 2, points.shape[1] >= 3,
      points.shape[1] <= 1024
    else {
      throw .format(
        "\(prefix).points", "F32 [point][x y z ...]", "\(points.elementType.rawValue) \(points.shape)")
    }
    unsafe l.points = unsafe file.baseAddress.map { unsafe $0 + points.byteRange.lowerBound }
    unsafe l.byte_count = points.byteRange.count
    unsafe l.point_count = points.shape[0]
    unsafe l.record_stride = points.shape[1] * 4
    unsafe l.intensity_offset = points.shape[1] > 3 ? 12 : -1
    return unsafe l
  }

  private func map(_ prefix: String) throws(Failure) -> swiftlet_bev_frame {
    var m = unsafe swiftlet_bev_frame()
    unsafe swiftlet_bev_frame_init(&m)
    unsafe m.kind = Int32(clamping: try integers("\(prefix).kind", 1)[0])
    unsafe m.flags = UInt32(clamping: try integers("\(prefix).flags", 1)[0])
    guard unsafe m.flags & UInt32(SWIFTLET_SENSOR_VALID) != 0 else { return unsafe m }
    unsafe m.timestamp_ns = try integers("\(prefix).timestamp", 1)[0]
    unsafe m.world_from_ego = try pose("\(prefix).world_from_ego")
    unsafe m.features = try tensor("\(prefix).features")
    guard let cells = layout.entries["\(prefix).validity"] else { return unsafe m }
    guard cells.elementType == .uint8, !cells.byteRange.isEmpty else {
      throw .format("\(prefix).validity", "U8", "\(cells.elementType.rawValue) \(cells.shape)")
    }
    unsafe m.validity = unsafe file.baseAddress.map {
      unsafe ($0 + cells.byteRange.lowerBound).assumingMemoryBound(to: UInt8.self)
    }
    unsafe m.validity_byte_count = cells.byteRange.count
    return unsafe m
  }

  // MARK: tensors

  private func entry(_ name: String) throws(Failure) -> SafeTensorsLayout.Entry {
    guard let entry = layout.entries[name] else { throw .format(name, "a tensor", "none") }
    return entry
  }

  private func tensor(_ name: String) throws(Failure) -> swiftlet_tensor {
    var t = unsafe swiftlet_tensor()
    guard let found = layout.entries[name] else { return unsafe t }
    guard found.shape.count == 3 else { throw .format(name, "3 dimensions", "\(found.shape)") }
    switch found.elementType {
    case .float32: unsafe t.element_type = Int32(SWIFTLET_FLOAT32)
    case .float16: unsafe t.element_type = Int32(SWIFTLET_FLOAT16)
    case .bfloat16: unsafe t.element_type = Int32(SWIFTLET_BFLOAT16)
    default: throw .format(name, "F32, F16 or BF16", found.elementType.rawValue)
    }
    unsafe t.data = unsafe file.baseAddress.map { unsafe $0 + found.byteRange.lowerBound }
    unsafe t.byte_count = found.byteRange.count
    unsafe t.shape = (Int64(found.shape[0]), Int64(found.shape[1]), Int64(found.shape[2]))
    return unsafe t
  }

  private func doubles(_ name: String, _ count: Int?) throws(Failure) -> [Double] {
    let found = try entry(name)
    let size = found.byteRange.count / 8
    guard found.elementType == .float64, size == count ?? size else {
      throw .format(
        name, "\(count.map { "\($0) " } ?? "")F64", "\(found.elementType.rawValue) \(found.shape)")
    }
    return (0..<size).map {
      unsafe file.loadUnaligned(fromByteOffset: found.byteRange.lowerBound + 8 * $0, as: Double.self)
    }
  }

  private func integers(_ name: String, _ count: Int) throws(Failure) -> [Int64] {
    let found = try entry(name)
    guard found.elementType == .int64, found.byteRange.count == 8 * count else {
      throw .format(name, "\(count) I64", "\(found.elementType.rawValue) \(found.shape)")
    }
    return (0..<count).map {
      unsafe file.loadUnaligned(fromByteOffset: found.byteRange.lowerBound + 8 * $0, as: Int64.self)
    }
  }

  private func pose(_ name: String) throws(Failure) -> Doubles12 {
    let v = try doubles(name, 12)
    return (v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11])
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func storeDoubles(_ values: [Double]) {
    for (index, value) in values.enumerated() {
      unsafe storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
    }
  }
}

extension Failure {
  static func format(_ what: String, _ expected: String, _ found: String) -> Failure {
    Failure(
      Int(SWIFTLET_ERROR_FORMAT),
      "\(what): expected \(expected), found \(found); write the file again with swiftlet export")
  }
}

@c @implementation
public func swiftlet_frame_file_open(
  _ bytes: UnsafeRawPointer!, _ size: Int, _ file: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe create(at: file, error) { () throws(Failure) in
    guard let base = unsafe bytes else { throw Failure.null("bytes") }
    guard size >= 0 else { throw Failure.format("size", "the file's bytes", "\(size)") }
    return unsafe try FrameFileHandle(UnsafeRawBufferPointer(start: base, count: size))
  }
}

@c @implementation
public func swiftlet_frame_file_destroy(_ file: OpaquePointer!) -> swiftlet_status {
  unsafe destroy(file, FrameFileHandle.self)
}

@c @implementation
public func swiftlet_frame_file_rig(
  _ file: OpaquePointer!, _ rig: UnsafeMutablePointer<UnsafePointer<swiftlet_rig>?>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(file, FrameFileHandle.self, error) { (handle) throws(Failure) in
    guard let place = unsafe rig else { throw Failure.null("rig") }
    guard handle.isRig else { throw Failure.format("file", "a rig", "a frame") }
    unsafe place.pointee = unsafe UnsafePointer(handle.rig)
  }
}

@c @implementation
public func swiftlet_frame_file_frame(
  _ file: OpaquePointer!, _ frame: UnsafeMutablePointer<UnsafePointer<swiftlet_frame>?>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(file, FrameFileHandle.self, error) { (handle) throws(Failure) in
    guard let place = unsafe frame else { throw Failure.null("frame") }
    guard !handle.isRig else { throw Failure.format("file", "a frame", "a rig") }
    unsafe place.pointee = unsafe UnsafePointer(handle.frame)
  }
}
