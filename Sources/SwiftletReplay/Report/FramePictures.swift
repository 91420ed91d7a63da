import Foundation
import Swiftlet

/// The pictures of one processed frame: BEV maps and occupancy from above, and every camera with
/// the occupied voxels projected into it.
public struct FramePictures {
  private let frame: SensorFrame
  private let pipeline: FramePipeline
  private let usesBuiltInFeatures: Bool

  /// - Parameters:
  ///   - frame: what the pipeline processed last; its views must still be valid.
  ///   - usesBuiltInFeatures: channels 0…2 are luma and chroma, and shown as colours.
  public init(frame: SensorFrame, pipeline: FramePipeline, usesBuiltInFeatures: Bool) {
    self.frame = frame
    self.pipeline = pipeline
    self.usesBuiltInFeatures = usesBuiltInFeatures
  }

  /// Draws everything as `LABEL_….png` into `folder`.
  public func write(label: String, title: String, to folder: URL) throws {
    try save(bev(pipeline.fusedBEV, "fused BEV, \(title)"), "\(label)_bev", folder)
    if let camera = pipeline.cameraBEV {
      try save(bev(camera, "camera BEV, \(title)"), "\(label)_camera_bev", folder)
    }
    if let radar = pipeline.radarBEV {
      try save(bev(radar, "radar BEV, \(title)"), "\(label)_radar_bev", folder)
    }
    if let semantic = pipeline.semanticMap {
      try save(classes(semantic, "semantic map, \(title)"), "\(label)_semantic", folder)
    }
    if let head = pipeline.occupancyLogits {
      try save(classes(head, "occupancy head, \(title)"), "\(label)_occupancy_head", folder)
    }
    let voxels = occupiedInEgo
    if let occupancy = pipeline.occupancy {
      try save(occupancyPicture(occupancy, voxels, title), "\(label)_occupancy", folder)
    }
    var tiles: [CameraMosaic.Tile] = []
    for camera in frame.cameras {
      let picture = overlay(camera, voxels)
      tiles.append(CameraMosaic.Tile(name: camera.name, image: picture))
      if let picture { try save(picture, "\(label)_\(Self.fileName(camera.name))", folder) }
    }
    if tiles.contains(where: { $0.image != nil }) {
      try save(CameraMosaic.draw(tiles, title: title), "\(label)_cameras", folder)
    }
  }

  private func save(_ image: RGBImage, _ name: String, _ folder: URL) throws {
    try Data(try PNGCodec.encode(image, fast: true)).write(
      to: folder.appending(path: "\(name).png"), options: .atomic)
  }

  /// Sensor names come from recordings: only what is harmless in a file name stays.
  static func fileName(_ sensor: String) -> String {
    String(sensor.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" })
  }

  private func bev(_ map: BEVResult, _ title: String) -> RGBImage {
    let grid = pipeline.grid
    let (features, validity) = usesBuiltInFeatures ? Self.meanColors(map) : (
      map.features.array, map.validity.array
    )
    return BEVPicture(
      features: features, cellCountX: map.columns, cellCountY: map.rows,
      channelCount: map.channels,
      lowerBoundsMeters: SIMD2(Float(grid.lowerMeters.x), Float(grid.lowerMeters.y)),
      cellSizeMeters: SIMD2(Float(grid.stepMeters.x), Float(grid.stepMeters.y)),
      validity: validity, colors: usesBuiltInFeatures ? .lumaChroma : .projection,
      title: title
    ).draw()
  }

  private func classes(_ head: HeadResult, _ title: String) -> RGBImage {
    let grid = pipeline.grid
    return ClassPicture(
      labels: head.topLabels(), cellCountX: grid.sizeX, cellCountY: grid.sizeY,
      lowerBoundsMeters: SIMD2(Float(grid.lowerMeters.x), Float(grid.lowerMeters.y)),
      cellSizeMeters: SIMD2(Float(grid.stepMeters.x), Float(grid.stepMeters.y)), title: title
    ).draw(classCount: head.classCount)
  }

  /// Pooling sums what falls into a cell, and the encoder's channel 3 is a constant 1: divided by
  /// it, sums become means. Cells that no pixel reached count as without data.
  private static func meanColors(_ map: BEVResult) -> (features: [Float], validity: [UInt8]) {
    var features = map.features.array
    var validity = map.validity.array
    for cell in validity.indices where validity[cell] != 0 {
      let start = cell * map.channels
      let weight = features[start + 3]
      guard weight > 1e-4 else {
        validity[cell] = 0
        continue
      }
      for channel in 0..<3 { features[start + channel] /= weight }
    }
    return (features, validity)
  }

  private var voxelSizeMeters: Float {
    Float(pipeline.configuration.occupancy.voxelSizeMeters)
  }

  private var occupiedInEgo: [SIMD3<Float>] {
    let egoFromWorld = frame.worldFromEgo.inverse
    var centers: [SIMD3<Float>] = []
    pipeline.occupancy?.forEachOccupied { _, center, _ in
      centers.append(SIMD3<Float>(egoFromWorld * center))
    }
    return centers
  }

  private func occupancyPicture(
    _ occupancy: OccupancyGrid, _ occupied: [SIMD3<Float>], _ title: String
  ) -> RGBImage {
    let grid = pipeline.grid
    let upper =
      grid.lowerMeters + grid.stepMeters * SIMD3(Double(grid.sizeX), Double(grid.sizeY), 1)
    var picture = OccupancyPicture(
      minimum: SIMD2(Float(grid.lowerMeters.x), Float(grid.lowerMeters.y)),
      maximum: SIMD2(Float(upper.x), Float(upper.y)), cellSizeMeters: voxelSizeMeters / 2,
      title: "occupancy, \(title)")
    let egoFromWorld = frame.worldFromEgo.inverse
    var known: [SIMD3<Float>] = []
    occupancy.forEachKnown { _, center, _ in known.append(SIMD3<Float>(egoFromWorld * center)) }
    // The map lies along the world's axes, which the ego sees turned by minus its own yaw.
    let forward = frame.worldFromEgo.rotation.transpose.row0
    let yaw = -Float(atan2(forward.y, forward.x))
    picture.addFree(known, voxelSizeMeters: voxelSizeMeters, voxelYawRadians: yaw)
    picture.addOccupied(occupied, voxelSizeMeters: voxelSizeMeters, voxelYawRadians: yaw)
    return picture.draw()
  }

  /// Nil for a camera that is missing or has no image.
  private func overlay(_ camera: CameraInput, _ voxels: [SIMD3<Float>]) -> RGBImage? {
    guard camera.isValid, let view = camera.image else { return nil }
    return CameraOverlay(
      image: RGBImage(copying: view), intrinsics: camera.intrinsics,
      keyEgoFromCamera: camera.keyEgoFromCamera, name: camera.name
    ).draw(voxels: voxels, voxelSizeMeters: voxelSizeMeters)
  }
}

extension RGBImage {
  /// A copy of a borrowed image, rows packed.
  init(copying view: ImageView) {
    var pixels: [UInt8] = []
    let rowBytes = view.widthPixels * 3
    pixels.reserveCapacity(rowBytes * view.heightPixels)
    for row in 0..<view.heightPixels {
      let start = unsafe view.baseAddress + row * view.byteStride
      unsafe pixels.append(contentsOf: UnsafeBufferPointer(start: start, count: rowBytes))
    }
    self.init(widthPixels: view.widthPixels, heightPixels: view.heightPixels, pixels: pixels)
  }
}
