import CCodecs
import Swiftlet

/// XXH3 (64 bit) over named outputs: per frame the outputs' names, sizes and little-endian bytes in
/// their fixed order; for the run, the frames' digests in order.
@safe
public final class OutputDigest {
  private let frameState: OpaquePointer
  private let runState: OpaquePointer

  public init() {
    guard let frame = unsafe XXH3_createState(), let run = unsafe XXH3_createState() else {
      fatalError("cannot allocate two XXH3 states")
    }
    unsafe frameState = frame
    unsafe runState = run
    unsafe XXH3_64bits_reset(frameState)
    unsafe XXH3_64bits_reset(runState)
  }

  deinit {
    unsafe XXH3_freeState(frameState)
    unsafe XXH3_freeState(runState)
  }

  /// Adds one output of the current frame.
  public func add(name: String, bytes: UnsafeRawBufferPointer) {
    var name = name
    name.withUTF8 { utf8 in
      _ = unsafe XXH3_64bits_update(frameState, utf8.baseAddress, utf8.count)
    }
    var byteCount = UInt64(bytes.count).littleEndian
    _ = unsafe XXH3_64bits_update(frameState, &byteCount, 8)
    if let base = bytes.baseAddress {
      _ = unsafe XXH3_64bits_update(frameState, base, bytes.count)
    }
  }

  /// The digest of the outputs added since the last call; it goes into the run's digest.
  public func endFrame() -> UInt64 {
    let digest = unsafe XXH3_64bits_digest(frameState)
    unsafe XXH3_64bits_reset(frameState)
    var bytes = digest.littleEndian
    _ = unsafe XXH3_64bits_update(runState, &bytes, 8)
    return digest
  }

  /// The run's digest so far.
  public var run: UInt64 { unsafe XXH3_64bits_digest(runState) }

  /// 16 hexadecimal digits.
  public static func text(_ digest: UInt64) -> String {
    let digits = String(digest, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension OutputDigest {
  /// XXH3 of some bytes, as text.
  public static func hash(_ bytes: [UInt8]) -> String {
    text(unsafe bytes.withUnsafeBytes { unsafe XXH3_64bits($0.baseAddress, $0.count) })
  }

  /// XXH3 of a rig: names, intrinsics, mounts, preparation and network sizes of its sensors.
  public static func hash(rig frame: SensorFrame) -> String {
    var text = ""
    for camera in frame.cameras {
      text += "\(camera.name) \(camera.intrinsics) \(camera.egoFromCamera) \(camera.augmentation) "
      text += "\(camera.networkWidthPixels)x\(camera.networkHeightPixels)\n"
    }
    for lidar in frame.lidars { text += "\(lidar.name) \(lidar.egoFromLidar)\n" }
    return hash(Array(text.utf8))
  }
}
