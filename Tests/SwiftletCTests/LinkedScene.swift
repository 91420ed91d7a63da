import CSwiftlet
import Swiftlet
import SwiftletC
import SwiftletTestSupport

/// A made-up drive as a C caller would hold it: two cameras, one LiDAR, a radar map, 20×20 cells.
final class LinkedScene {
  static let configuration = """
    {"schema_version": 2, "channels": 32,
     "grid": {"lower_meters": [-8, -8, -10], "upper_meters": [8, 8, 10], "step_meters": [0.8, 0.8, 20]},
     "depth": {"lower_meters": 1, "upper_meters": 8, "step_meters": 1},
     "occupancy": {"extent_meters": [16, 16, 6.4], "voxel_size_meters": 0.4, "maximum_range_meters": 7}}
    """
  static let (rows, columns, channels, bins, cells) = (4, 11, 32, 7, 20)

  let features: AlignedBuffer<Float>
  let depth: AlignedBuffer<Float>
  let points: AlignedBuffer<Float>
  let radar: AlignedBuffer<Float>
  let known: AlignedBuffer<UInt8>
  let cameras = UnsafeMutablePointer<swiftlet_camera>.allocate(capacity: 2)
  let lidars = UnsafeMutablePointer<swiftlet_lidar>.allocate(capacity: 1)
  let cameraFrames = UnsafeMutablePointer<swiftlet_camera_frame>.allocate(capacity: 2)
  let lidarFrames = UnsafeMutablePointer<swiftlet_lidar_frame>.allocate(capacity: 1)
  let mapFrames = UnsafeMutablePointer<swiftlet_bev_frame>.allocate(capacity: 2)
  var rig = swiftlet_rig()
  var frame = swiftlet_frame()

  init(seed: UInt64 = 5) {
    var random = SeededGenerator(seed: seed)
    features = AlignedBuffer(random.floats(2 * Self.rows * Self.columns * Self.channels))
    depth = AlignedBuffer(random.floats(2 * Self.bins * Self.rows * Self.columns, in: 0...1))
    points = AlignedBuffer(random.floats(601 * 3, in: -7...7))
    radar = AlignedBuffer(random.floats(Self.cells * Self.cells * Self.channels))
    known = AlignedBuffer(random.floats(Self.cells * Self.cells, in: 0...1).map { $0 < 0.7 ? 1 : 0 })
    makeRig()
    makeFrame()
  }
  deinit {
    cameras.deallocate()
    lidars.deallocate()
    cameraFrames.deallocate()
    lidarFrames.deallocate()
    mapFrames.deallocate()
  }

  private static func mount(_ index: Int) -> Doubles {
    let sign = index == 0 ? 1.0 : -1.0
    return (0, 0, sign, sign, -sign, 0, 0, 0, 0, -1, 0, 1.6)
  }

  private func makeRig() {
    for index in 0..<2 {
      var c = swiftlet_camera()
      swiftlet_camera_init(&c)
      (c.focal_x, c.focal_y, c.center_x, c.center_y) = (90, 90, 88, 32)
      (c.width, c.height, c.network_width, c.network_height) = (176, 64, 176, 64)
      c.ego_from_camera = Self.mount(index)
      (cameras + index).initialize(to: c)
    }
    var lidar = swiftlet_lidar()
    swiftlet_lidar_init(&lidar)
    lidars.initialize(to: lidar)
    swiftlet_rig_init(&rig)
    (rig.cameras, rig.camera_count) = (UnsafePointer(cameras), 2)
    (rig.lidars, rig.lidar_count) = (UnsafePointer(lidars), 1)
  }

  private func makeFrame() {
    let (feature, bin) = (Self.rows * Self.columns * Self.channels, Self.bins * Self.rows * Self.columns)
    for index in 0..<2 {
      var c = swiftlet_camera_frame()
      swiftlet_camera_frame_init(&c)
      c.flags = UInt32(SWIFTLET_SENSOR_VALID)
      c.key_ego_from_camera = Self.mount(index)
      c.features = Self.tensor(
        features.pointer + index * feature, Self.rows, Self.columns, Self.channels)
      c.depth = Self.tensor(depth.pointer + index * bin, Self.bins, Self.rows, Self.columns)
      (cameraFrames + index).initialize(to: c)
    }
    var l = swiftlet_lidar_frame()
    swiftlet_lidar_frame_init(&l)
    l.flags = UInt32(SWIFTLET_SENSOR_VALID)
    l.world_from_lidar.11 = 1.8
    (l.points, l.byte_count) = (UnsafeRawPointer(points.pointer), 601 * 12)
    (l.point_count, l.record_stride) = (601, 12)
    lidarFrames.initialize(to: l)
    var m = swiftlet_bev_frame()
    swiftlet_bev_frame_init(&m)
    m.flags = UInt32(SWIFTLET_SENSOR_VALID)
    m.features = Self.tensor(radar.pointer, Self.cells, Self.cells, Self.channels)
    (m.validity, m.validity_byte_count) = (UnsafePointer(known.pointer), Self.cells * Self.cells)
    mapFrames.initialize(repeating: m, count: 2)
    swiftlet_frame_init(&frame)
    (frame.cameras, frame.camera_count) = (UnsafePointer(cameraFrames), 2)
    (frame.lidars, frame.lidar_count) = (UnsafePointer(lidarFrames), 1)
    frame.maps = UnsafePointer(mapFrames)
  }

  static func tensor(_ data: UnsafeMutablePointer<Float>, _ a: Int, _ b: Int, _ c: Int) -> swiftlet_tensor {
    var t = swiftlet_tensor()
    (t.data, t.byte_count) = (UnsafeRawPointer(data), a * b * c * 4)
    t.shape = (Int64(a), Int64(b), Int64(c))
    return t
  }

  /// Frame `index` of a way along x.
  func place(_ index: Int) {
    frame.timestamp_ns = Int64(index) * 100_000_000
    cameraFrames[0].timestamp_ns = frame.timestamp_ns
    cameraFrames[1].timestamp_ns = frame.timestamp_ns
    lidarFrames[0].timestamp_ns = frame.timestamp_ns
    frame.world_from_ego.3 = 0.7 * Double(index)
    lidarFrames[0].world_from_lidar.3 = 0.7 * Double(index)
    mapFrames[0].timestamp_ns = frame.timestamp_ns
    mapFrames[0].world_from_ego.3 = 0.7 * Double(index) - 0.3
    mapFrames[1] = mapFrames[0]
    mapFrames[1].kind = Int32(SWIFTLET_BEV_PRIOR)
  }

  typealias Doubles = (
    Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double
  )
}

/// A pipeline of the scene's configuration with its rig; freed with the object.
final class LinkedPipeline {
  private(set) var handle: OpaquePointer?

  init(_ scene: LinkedScene?, configuration: String = LinkedScene.configuration, weights: [UInt8]? = nil) {
    var options = swiftlet_options()
    swiftlet_options_init(&options)
    var text = configuration
    text.withUTF8 { utf8 in
      options.configuration = UnsafeRawPointer(utf8.baseAddress)?.assumingMemoryBound(to: CChar.self)
      options.configuration_size = utf8.count
      (weights ?? []).withUnsafeBytes { bytes in
        if weights != nil { (options.weights, options.weights_size) = (bytes.baseAddress, bytes.count) }
        var error = swiftlet_error()
        let status = swiftlet_pipeline_create(&options, &handle, &error)
        precondition(status == 0, "\(message(error))")
      }
    }
    if let scene { precondition(swiftlet_pipeline_set_rig(handle, &scene.rig, nil) == 0) }
  }
  deinit { swiftlet_pipeline_destroy(handle) }

  /// XXH3 over the last frame's results.
  var digest: UInt64 {
    var digest: OpaquePointer?
    var value: UInt64 = 0
    precondition(swiftlet_digest_create(&digest, nil) == 0)
    precondition(swiftlet_digest_add(digest, handle, &value, nil) == 0)
    swiftlet_digest_destroy(digest)
    return value
  }
}

/// The message of an error.
func message(_ error: swiftlet_error) -> String {
  withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
