import CSwiftlet
import Swiftlet

/// The sensors of a vehicle, checked.
struct Rig {
  struct Camera {
    var name: String
    var intrinsics: CameraIntrinsics
    var augmentation: ImageAugmentation
    var egoFromCamera: RigidTransform
    /// Pixels of the network's image, and cells of its feature map, x and y.
    var networkSize: SIMD2<Int>
    var featureSize: SIMD2<Int>

    /// Index tables, packed depth and features, and the encoder's buffers.
    func estimatedBytes(_ configuration: PipelineConfiguration) -> Int {
      featureSize.x * featureSize.y * (configuration.depth.binCount * 40 + configuration.channelCount * 8)
    }
  }
  struct Lidar {
    var name: String
    var egoFromLidar: RigidTransform
  }
  var cameras: [Camera] = []
  var lidars: [Lidar] = []
  var maps: [BEVMapInput.Kind] = []

  init(_ pointer: UnsafePointer<swiftlet_rig>?) throws(Failure) {
    let rig: swiftlet_rig = unsafe try structure(pointer, "rig")
    guard unsafe rig.camera_count <= 12, unsafe rig.lidar_count <= 8 else {
      throw .input(
        "rig", expected: "0 to 12 cameras and 0 to 8 LiDARs",
        found: "\(unsafe rig.camera_count) and \(unsafe rig.lidar_count)", "leave sensors out")
    }
    for index in 0..<(unsafe Int(rig.camera_count)) {
      cameras.append(unsafe try Camera(element(rig.cameras, index, "rig.cameras"), index))
    }
    for index in 0..<(unsafe Int(rig.lidar_count)) {
      let lidar: swiftlet_lidar = unsafe try element(rig.lidars, index, "rig.lidars")
      let name = unsafe lidar.name.map { unsafe text($0) } ?? "LiDAR \(index)"
      let mount = unsafe RigidTransform(lidar.ego_from_lidar)
      try check(mount, name)
      lidars.append(Lidar(name: name, egoFromLidar: mount))
    }
    let flags = unsafe rig.flags
    guard flags <= 3 else {
      throw .input("rig.flags", expected: "a combination of 3", found: "\(flags)",
        "use SWIFTLET_RIG constants")
    }
    if flags & UInt32(SWIFTLET_RIG_RADAR_MAP) != 0 { maps.append(.radar) }
    if flags & UInt32(SWIFTLET_RIG_MAP_PRIOR) != 0 { maps.append(.mapPrior) }
  }

  /// A frame of these sensors, without data and with every camera valid.
  func frame(_ options: Options) -> SensorFrame {
    SensorFrame(
      timestampNanoseconds: 0, worldFromEgo: .identity, resetsHistory: true,
      cameras: cameras.map {
        CameraInput(
          name: $0.name, timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
          intrinsics: $0.intrinsics, egoFromCamera: $0.egoFromCamera,
          keyEgoFromCamera: $0.egoFromCamera, augmentation: $0.augmentation,
          networkWidthPixels: $0.networkSize.x, networkHeightPixels: $0.networkSize.y)
      },
      lidars: lidars.map {
        LidarInput(
          name: $0.name, timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true, points: .empty,
          egoFromLidar: $0.egoFromLidar, worldFromLidar: $0.egoFromLidar)
      })
  }

  /// Gives a frame tensors and points of the sizes to come, so that the pipeline makes room for
  /// them. They are measured, never read.
  func announceTensors(in frame: inout SensorFrame, _ options: Options) {
    let place = unsafe UnsafeRawPointer(announcedPlace.pointer)
    for (index, camera) in cameras.enumerated() {
      let (columns, rows) = (camera.featureSize.x, camera.featureSize.y)
      frame.cameras[index].features = unsafe TensorView(
        base: place, elementType: .float32,
        shape: (rows, columns, options.configuration.channelCount))
      frame.cameras[index].depth = unsafe TensorView(
        base: place, elementType: .float32,
        shape: (options.configuration.depth.binCount, rows, columns))
    }
    frame.bevMaps.reserveCapacity(2)
    for kind in maps {
      let cells = options.configuration.grid.cellCounts
      frame.bevMaps.append(
        BEVMapInput(
          kind: kind, name: "", features: unsafe TensorView(
            base: place, elementType: .float32,
            shape: (cells.y, cells.x, options.configuration.channelCount)),
          worldFromEgo: .identity))
    }
    guard !frame.lidars.isEmpty else { return }
    // The pipeline makes room for twice what it sees.
    frame.lidars[0].points = unsafe PointCloudView(
      base: place, count: (options.maximumPoints + 1) / 2, byteStride: 16)
  }
}

/// An address for tensors that are only measured.
private let announcedPlace = AlignedBuffer<UInt8>(count: 64)

private func check(_ mount: RigidTransform, _ name: String) throws(Failure) {
  do throws(CalibrationError) { try mount.validate(sensor: name) } catch { throw Failure(error) }
}

extension Rig.Camera {
  init(_ c: swiftlet_camera, _ index: Int) throws(Failure) {
    name = unsafe c.name.map { unsafe text($0) } ?? "camera \(index)"
    let v = unsafe c.network_from_raw
    augmentation = ImageAugmentation(a00: v.0, a01: v.1, a10: v.3, a11: v.4, tx: v.2, ty: v.5)
    egoFromCamera = unsafe RigidTransform(c.ego_from_camera)
    networkSize = unsafe SIMD2(Int(c.network_width), Int(c.network_height))
    featureSize = unsafe SIMD2(Int(c.feature_width), Int(c.feature_height))
    if featureSize == SIMD2(0, 0) { featureSize = networkSize / BuiltInEncoder.stride }
    intrinsics = CameraIntrinsics(
      focalX: unsafe c.focal_x, focalY: unsafe c.focal_y, centerX: unsafe c.center_x,
      centerY: unsafe c.center_y, lens: unsafe try Self.lens(c, name),
      widthPixels: unsafe Int(c.width), heightPixels: unsafe Int(c.height))
    guard (1...16_384).contains(networkSize.x), (1...16_384).contains(networkSize.y),
      (1...4096).contains(featureSize.x), (1...4096).contains(featureSize.y)
    else {
      throw Failure(
        Int(SWIFTLET_ERROR_CALIBRATION),
        "\(name): expected a network image of 1 to 16,384 and features of 1 to 4,096 a side, found \(networkSize) and \(featureSize); give the network's sizes")
    }
    do throws(CalibrationError) {
      try intrinsics.validate(sensor: name)
      try augmentation.validate(sensor: name)
    } catch { throw Failure(error) }
    try check(egoFromCamera, name)
  }

  private static func lens(_ c: swiftlet_camera, _ name: String) throws(Failure) -> LensModel {
    let count = unsafe Int(c.distortion_count)
    let d = unsafe c.distortion
    let all = [d.0, d.1, d.2, d.3, d.4, d.5, d.6, d.7]
    let isFinite = all.allSatisfy(\.isFinite)
    switch (unsafe Int(c.lens), count) {
    case (Int(SWIFTLET_LENS_PINHOLE), 0): return .pinhole
    case (Int(SWIFTLET_LENS_BROWN_CONRADY), 4), (Int(SWIFTLET_LENS_BROWN_CONRADY), 5),
      (Int(SWIFTLET_LENS_BROWN_CONRADY), 8):
      if isFinite { return .brownConrady(Array(all.prefix(count))) }
    case (Int(SWIFTLET_LENS_KANNALA_BRANDT), 4):
      if isFinite { return .kannalaBrandt(Array(all.prefix(4))) }
    case (Int(SWIFTLET_LENS_F_THETA), 2...6):
      if isFinite { return .fTheta(Array(all.prefix(count))) }
    case (Int(SWIFTLET_LENS_F_THETA_INVERSE), 2...6):
      if isFinite { return .fThetaInverse(Array(all.prefix(count))) }
    default: break
    }
    throw Failure(
      Int(SWIFTLET_ERROR_CALIBRATION),
      "\(name): expected lens 0 without, 1 with 4, 5 or 8, 2 with 4, or 3 or 4 with 2 to 6 finite coefficients, found lens \(unsafe c.lens) with \(count); correct lens and distortion_count")
  }
}
