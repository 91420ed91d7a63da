/// Reads images and scans out of messages.
struct MessageSampleReader: SampleReader {
  let stores: [any MessageStore]
  /// By `IndexedSample.record`.
  let messages: [IndexedMessage]
  /// Sensors whose points carry their own times, to be corrected for motion.
  var timedLidars: Set<String> = []

  func readImage(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> [UInt8] {
    try read(sample) { (message, data) throws(FieldError) in
      let isCDR = message.encoding == "cdr"
      guard message.kind == .rawImage else {
        let image =
          isCDR ? try CompressedImageMessage(cdr: data) : try CompressedImageMessage(protobuf: data)
        return Array(image.data)
      }
      let image = try RGBImage(
        isCDR ? try RawImageMessage(cdr: data) : try RawImageMessage(protobuf: data))
      // Frames take encoded images; PNG keeps every bit.
      do throws(CodecError) {
        return try PNGCodec.encode(image, fast: true)
      } catch {
        throw FieldError(
          byteOffset: data.startIndex, expected: error.expected, found: error.found)
      }
    }
  }

  func readScan(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> LidarScan {
    try read(sample) { (message, data) throws(FieldError) in
      let cloud =
        message.encoding == "cdr"
        ? try PointCloudMessage(cdr: data) : try PointCloudMessage(protobuf: data)
      var scan = try LidarScan(cloud, readsTimes: timedLidars.contains(sensor.name))
      if let problem = scan.problem {
        scan.problem = (problem.code, "\(message.topic) at \(message.time) ns: \(problem.message)")
      }
      return scan
    }
  }

  private func read<Content>(
    _ sample: IndexedSample,
    _ decode: (IndexedMessage, ArraySlice<UInt8>) throws(FieldError) -> Content
  ) throws(RecordingError) -> Content {
    let message = messages[sample.record]
    let data = try stores[message.store].data(at: message.place)
    do throws(FieldError) {
      return try decode(message, data)
    } catch {
      throw RecordingError.message(
        error, file: stores[message.store].path, topic: message.topic, time: message.time,
        data: data)
    }
  }
}
