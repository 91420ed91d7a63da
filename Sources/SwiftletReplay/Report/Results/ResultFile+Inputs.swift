import Swiftlet

extension ResultFile {
  /// Images and clouds of the sensors that were used in a frame.
  func inputs(of frame: SensorFrame) -> [Message] {
    frame.cameras.compactMap(image) + frame.lidars.filter(\.isValid).map(cloud)
  }

  /// Nil for a camera without an image (network outputs only).
  private func image(_ camera: CameraInput) -> Message? {
    guard camera.isValid, let view = camera.image,
      let bytes = try? JPEGCodec.encode(RGBImage(copying: view), quality: 90)
    else { return nil }
    let header = MessageHeader(
      stampNanoseconds: camera.timestampNanoseconds, frameID: camera.name)
    return Message(
      topic: "/\(camera.name)/image_raw/compressed", time: camera.timestampNanoseconds,
      type: CompressedImageMessage.rosType,
      data: CompressedImageMessage(header: header, format: "jpeg", data: bytes[...]).cdr())
  }

  private func cloud(_ lidar: LidarInput) -> Message {
    let points = lidar.points
    let hasIntensity = points.intensityByteOffset >= 0
    let offsets =
      [points.xByteOffset, points.yByteOffset, points.zByteOffset]
      + (hasIntensity ? [points.intensityByteOffset] : [])
    var data = ByteWriter()
    for index in 0..<points.count {
      for offset in offsets { data.put(unsafe points.value(index, offset).bitPattern) }
    }
    let names = ["x", "y", "z", "intensity"].prefix(offsets.count)
    let message = PointCloudMessage(
      header: MessageHeader(
        stampNanoseconds: lidar.timestampNanoseconds, frameID: lidar.name), height: 1,
      width: points.count,
      fields: names.enumerated().map {
        PointField(
          name: $0.element, byteOffset: 4 * $0.offset, datatype: PointFieldType.float32.rawValue)
      }, isBigEndian: false, pointByteStride: 4 * offsets.count,
      rowByteStride: 4 * offsets.count * points.count, data: data.bytes[...], isDense: false)
    return Message(
      topic: "/\(lidar.name)/points", time: lidar.timestampNanoseconds,
      type: PointCloudMessage.rosType, data: message.cdr())
  }
}
