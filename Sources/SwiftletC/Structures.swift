import CSwiftlet

/// A structure of a caller whose header may be older or newer: `struct_size` is its first field.
///
/// - Throws: for sizes below the first version's, and for larger ones whose unknown part is in use.
func structure<T: BitwiseCopyable>(
  _ pointer: UnsafePointer<T>?, _ name: @autoclosure () -> String
) throws(Failure) -> T {
  guard let pointer = unsafe pointer else { throw Failure.null(name()) }
  let known = MemoryLayout<T>.size
  let raw = unsafe UnsafeRawPointer(pointer)
  let stated = Int(unsafe raw.loadUnaligned(as: UInt32.self))
  guard stated >= known, stated <= 4096 else {
    throw Failure(
      Int(SWIFTLET_ERROR_STRUCT_SIZE),
      "\(name()).struct_size: expected \(known), found \(stated); call its _init function")
  }
  var offset = known
  while offset < stated {
    guard unsafe raw.load(fromByteOffset: offset, as: UInt8.self) == 0 else {
      throw Failure(
        Int(SWIFTLET_ERROR_STRUCT_SIZE),
        "\(name()): expected \(known) bytes, found a newer field in use at byte \(offset); use the library that came with the header")
    }
    offset += 1
  }
  return unsafe pointer.pointee
}

/// Element `index` of an array of such structures: they lie `struct_size` of the first apart.
func element<T: BitwiseCopyable>(
  _ base: UnsafePointer<T>?, _ index: Int, _ name: @autoclosure () -> String
) throws(Failure) -> T {
  guard let base = unsafe base else { throw Failure.null(name()) }
  let first = unsafe UnsafeRawPointer(base)
  let stride = Int(unsafe first.loadUnaligned(as: UInt32.self))
  guard stride >= MemoryLayout<T>.size, stride <= 4096 else {
    throw Failure(
      Int(SWIFTLET_ERROR_STRUCT_SIZE),
      "\(name())[0].struct_size: expected \(MemoryLayout<T>.size), found \(stride); call its _init function")
  }
  let raw = unsafe first + index * stride
  let stated = Int(unsafe raw.loadUnaligned(as: UInt32.self))
  guard stated == stride else {
    throw Failure(
      Int(SWIFTLET_ERROR_STRUCT_SIZE),
      "\(name())[\(index)].struct_size: expected \(stride) as the first, found \(stated); call its _init function")
  }
  return unsafe try structure(raw.assumingMemoryBound(to: T.self), name())
}

/// Twelve doubles as C has them.
typealias Doubles12 = (
  Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double
)
let identity12: Doubles12 = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)

@c @implementation
public func swiftlet_camera_init(_ camera: UnsafeMutablePointer<swiftlet_camera>!) {
  guard let camera = unsafe camera else { return }
  var made = unsafe swiftlet_camera()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_camera>.size)
  unsafe made.network_from_raw = (1, 0, 0, 0, 1, 0)
  unsafe made.ego_from_camera = identity12
  unsafe camera.pointee = made
}

@c @implementation
public func swiftlet_lidar_init(_ lidar: UnsafeMutablePointer<swiftlet_lidar>!) {
  guard let lidar = unsafe lidar else { return }
  var made = unsafe swiftlet_lidar()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_lidar>.size)
  unsafe made.ego_from_lidar = identity12
  unsafe lidar.pointee = made
}

@c @implementation
public func swiftlet_rig_init(_ rig: UnsafeMutablePointer<swiftlet_rig>!) {
  guard let rig = unsafe rig else { return }
  var made = unsafe swiftlet_rig()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_rig>.size)
  unsafe rig.pointee = made
}

@c @implementation
public func swiftlet_camera_frame_init(_ camera: UnsafeMutablePointer<swiftlet_camera_frame>!) {
  guard let camera = unsafe camera else { return }
  var made = unsafe swiftlet_camera_frame()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_camera_frame>.size)
  unsafe made.key_ego_from_camera = identity12
  unsafe camera.pointee = made
}

@c @implementation
public func swiftlet_lidar_frame_init(_ lidar: UnsafeMutablePointer<swiftlet_lidar_frame>!) {
  guard let lidar = unsafe lidar else { return }
  var made = unsafe swiftlet_lidar_frame()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_lidar_frame>.size)
  unsafe made.world_from_lidar = identity12
  unsafe made.record_stride = 16
  unsafe (made.y_offset, made.z_offset, made.intensity_offset) = (4, 8, -1)
  unsafe lidar.pointee = made
}

@c @implementation
public func swiftlet_bev_frame_init(_ map: UnsafeMutablePointer<swiftlet_bev_frame>!) {
  guard let map = unsafe map else { return }
  var made = unsafe swiftlet_bev_frame()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_bev_frame>.size)
  unsafe made.world_from_ego = identity12
  unsafe map.pointee = made
}

@c @implementation
public func swiftlet_frame_init(_ frame: UnsafeMutablePointer<swiftlet_frame>!) {
  guard let frame = unsafe frame else { return }
  var made = unsafe swiftlet_frame()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_frame>.size)
  unsafe made.world_from_ego = identity12
  unsafe frame.pointee = made
}

@c @implementation
public func swiftlet_options_init(_ options: UnsafeMutablePointer<swiftlet_options>!) {
  guard let options = unsafe options else { return }
  var made = unsafe swiftlet_options()
  unsafe made.struct_size = UInt32(MemoryLayout<swiftlet_options>.size)
  unsafe made.thread_count = 1
  unsafe made.spin_ns = -1
  unsafe options.pointee = made
}
