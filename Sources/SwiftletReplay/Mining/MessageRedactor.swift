import Swiftlet

/// Applies a redaction to messages, whatever recording they come from. What comes out is CDR; what
/// is not understood does not come out.
struct MessageRedactor {
  private let redaction: Redaction
  private let index: RecordingIndex
  /// The frame the ego's poses are in, and all frames above the ego.
  private let world: String
  private let base: String
  private let aboveBase: Set<String>
  /// Frames of the rig: the ego's and everything fixed to it.
  private let tree: TransformTree?
  /// Moves the drive's first pose to the origin.
  private let redactedFromWorld: RigidTransform

  /// - Parameter frames: what is written; nil: everything.
  init(_ redaction: Redaction, recording: IndexedRecording, frames: ClosedRange<Int>?) {
    self.redaction = redaction
    index = recording.index
    if let reader = recording.reader as? MessageSampleReader {
      var indexer = MessageIndexer(clock: recording.options.clock)
      indexer.scan(reader.stores)
      let rig = MessageRig(indexer: indexer)
      base = rig.baseFrame
      tree = indexer.tree
      let chain = indexer.tree.chain(base) ?? []
      world = chain.dropFirst().first { $0 == "odom" } ?? chain.last ?? ""
      aboveBase = Set(chain.dropFirst())
    } else {
      (base, world, tree) = (FolderExport.base, FolderExport.world, nil)
      aboveBase = [FolderExport.world]
    }
    let first = recording.frames[frames?.lowerBound ?? 0].pose.transform ?? .identity
    redactedFromWorld = Self.atOrigin(first)
  }

  /// Heading and position of a pose undone; roll and pitch stay, they say nothing about the place.
  private static func atOrigin(_ pose: RigidTransform) -> RigidTransform {
    let forward = pose.rotation * SIMD3<Double>(1, 0, 0)
    let heading = headingOf(forward)
    return RigidTransform(rotation: heading, translation: pose.translation).inverse
  }
  private static func headingOf(_ forward: SIMD3<Double>) -> Matrix3 {
    let length = (forward.x * forward.x + forward.y * forward.y).squareRoot()
    guard length > 1e-6 else { return .identity }
    let (c, s) = (forward.x / length, forward.y / length)
    return Matrix3(SIMD3(c, -s, 0), SIMD3(s, c, 0), SIMD3(0, 0, 1))
  }

  // MARK: messages

  /// The message as it may be written; nil: not at all.
  func changed(
    _ message: StoredMessage, _ data: ArraySlice<UInt8>
  ) throws(RecordingError) -> (StoredMessage, ArraySlice<UInt8>)? {
    guard let kind = MessageKind(type: message.type, encoding: message.encoding) else { return nil }
    do throws(FieldError) {
      guard
        let (type, bytes) = try changed(
          kind, data, isCDR: message.encoding == "cdr", topic: message.topic)
      else { return nil }
      var message = message
      (message.type, message.encoding) = (type, "cdr")
      return (message, bytes[...])
    } catch {
      throw RecordingError.message(
        error, file: index.path, topic: message.topic, time: message.logTime, data: data)
    }
  }

  /// The same of a CDR message that was just made.
  func changed(
    _ message: (type: String, data: [UInt8]), _ topic: String, _ time: Int64
  ) throws(RecordingError) -> [UInt8]? {
    let stored = StoredMessage(
      topic: topic, type: message.type, encoding: "cdr", logTime: time, publishTime: time, data: [],
      place: MCAPMessage.Place(unit: 0, offset: 0))
    return try changed(stored, message.data[...]).map { Array($0.1) }
  }

  private func changed(
    _ kind: MessageKind, _ data: ArraySlice<UInt8>, isCDR: Bool, topic: String
  ) throws(FieldError) -> (type: String, data: [UInt8])? {
    switch kind {
    case .cloud:
      let cloud = isCDR ? try PointCloudMessage(cdr: data) : try PointCloudMessage(protobuf: data)
      guard cloud.frameFromPoints == .identity else { return nil }
      return (PointCloudMessage.rosType, cloud.cdr())
    case .cameraInfo:
      let info = isCDR ? try CameraInfoMessage(cdr: data) : try CameraInfoMessage(protobuf: data)
      return (CameraInfoMessage.rosType, info.cdr())
    case .compressedImage:
      let image =
        isCDR ? try CompressedImageMessage(cdr: data) : try CompressedImageMessage(protobuf: data)
      return (CompressedImageMessage.rosType, try changed(image, topic).cdr())
    case .rawImage:
      let raw = isCDR ? try RawImageMessage(cdr: data) : try RawImageMessage(protobuf: data)
      let image = CompressedImageMessage(
        header: raw.header, format: "png", data: try encoded(RGBImage(raw))[...])
      return (CompressedImageMessage.rosType, try changed(image, topic).cdr())
    case .transforms:
      let list =
        isCDR ? try TransformListMessage(cdr: data) : try TransformListMessage(protobuf: data)
      return changed(list.transforms)
    case .transform:
      return changed([
        isCDR ? try TransformMessage(cdr: data) : try TransformMessage(protobuf: data)
      ])
    case .odometry, .pose:
      // They say where the ego is in whatever frame; transforms are what is moved.
      guard redaction.positions == .keep, isCDR else { return nil }
      return (
        kind == .odometry ? "nav_msgs/msg/Odometry" : "geometry_msgs/msg/PoseStamped", Array(data)
      )
    }
  }

  private func encoded(_ image: RGBImage) throws(FieldError) -> [UInt8] {
    do throws(CodecError) {
      return try PNGCodec.encode(image, fast: true)
    } catch {
      throw FieldError(byteOffset: 0, expected: error.expected, found: error.found)
    }
  }

  private func changed(
    _ image: CompressedImageMessage, _ topic: String
  ) throws(FieldError) -> CompressedImageMessage {
    var image = image
    let boxes = redaction.boxes(
      MessageKind.sensorName(topic: topic), image.header.stampNanoseconds)
    var bytes = Array(image.data)
    if redaction.positions != .keep { bytes = ImageRedaction.withoutComments(bytes) }
    if !boxes.isEmpty {
      do throws(CodecError) {
        bytes = try ImageRedaction.blurred(bytes, boxes)
      } catch {
        // What cannot be blurred is not written.
        throw FieldError(
          byteOffset: image.data.startIndex, expected: error.expected, found: error.found)
      }
    }
    image.data = bytes[...]
    return image
  }

  private func changed(_ transforms: [TransformMessage]) -> (type: String, data: [UInt8])? {
    let kept = transforms.compactMap(changed)
    guard !kept.isEmpty else { return nil }
    return (TransformListMessage.rosType, TransformMessage.cdr(kept))
  }

  /// A transform of the ego or of a frame above it is moved or dropped; one of the rig stays.
  private func changed(_ transform: TransformMessage) -> TransformMessage? {
    guard redaction.positions != .keep else { return transform }
    let child = TransformTree.name(transform.childFrameID)
    let parent = TransformTree.name(transform.header.frameID)
    guard child == base || aboveBase.contains(child) else {
      // Other trees may be maps of the place.
      let isOfRig = tree?.chain(child)?.contains(base) ?? true
      return isOfRig ? transform : nil
    }
    guard redaction.positions == .offset else { return nil }
    if parent != world { return tree?.chain(parent)?.contains(world) ?? false ? transform : nil }
    let moved =
      redactedFromWorld
      * RigidTransform(rotation: transform.rotation.normalized, translation: transform.translation)
    var transform = transform
    transform.translation = moved.translation
    transform.rotation = Quaternion(rotation: moved.rotation).normalized
    return transform
  }
}
