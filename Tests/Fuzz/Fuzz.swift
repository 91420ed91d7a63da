// Coverage-guided fuzzing of everything that reads bytes nobody vouches for: MCAP files with every
// message kind, CDR, protocol buffers, JSON tables, KITTI text, images, SQLite bags. Built by Tests/Fuzz/run
// together with SwiftletReplay's sources (`swiftc -sanitize=fuzzer`), not by the package.
//
// The first byte of an input chooses what reads the rest. A trap, a read past the end, a hang or
// memory that a header merely claims is a finding; typed errors and warnings are what is wanted.

import Foundation
import Swiftlet

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start = unsafe start, count > 1 else { return 0 }
  let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  let rest = Array(bytes.dropFirst())
  switch bytes[0] % 9 {
  case 0, 1: FuzzTarget.file(rest)
  case 2: FuzzTarget.message(rest, encoding: "cdr")
  case 3: FuzzTarget.message(rest, encoding: "protobuf")
  case 4: _ = try? JSONReader.parse(rest)
  case 5: FuzzTarget.image(rest)
  case 6: FuzzTarget.text(rest)
  case 8: FuzzTarget.database(rest)
  default: FuzzTarget.copy(rest)
  }
  return 0
}

enum FuzzTarget {
  /// Chunks of more are not what a fuzzer looks for; with it a bomb of zeros costs little time.
  private static let options = MCAPReader.Options(
    maximumChunkByteCount: 1 << 22, cacheByteCount: 1 << 20)

  /// Opens a file, reads its messages in both orders, makes frames of them.
  static func file(_ bytes: [UInt8]) {
    guard let reader = try? MCAPReader(bytes: bytes, path: "fuzz", options: options) else { return }
    for order in [MCAPMessageOrder.file, .logTime] {
      var iterator = reader.messages(order: order)
      // Every message takes bytes of the file: more messages than bytes never end.
      var count = 0
      while iterator.next() != nil {
        count += 1
        precondition(count <= bytes.count * 64 + (1 << 22), "messages without end")
      }
    }
    var records = reader.records()
    while records.next() != nil {}
    for index in 0..<reader.attachmentCount { _ = try? reader.attachment(index) }
    try? reader.checkDataSection()
    frames(reader)
  }

  private static func frames(_ reader: MCAPReader) {
    let profile = ReadingProfile.find(in: [reader])
    var indexer = MessageIndexer(clock: .header, exact: ExactTransforms(in: [reader]))
    indexer.scan([reader])
    var rig = MessageRig(indexer: indexer)
    let sensors = profile?.ordered(rig.sensors()) ?? rig.sensors()
    let times = sensors.flatMap { $0.samples.map(\.timestampNanoseconds) }
    let track = rig.poseTrack(over: (times.min() ?? 0)...(times.max() ?? 0))
    let index = RecordingIndex(
      layout: "MCAP", path: "fuzz", name: "fuzz", sensors: sensors, poses: track ?? PoseTrack([]),
      hasPoses: track != nil, warnings: [])
    let samples = MessageSampleReader(stores: [reader], messages: rig.messages)
    let opening = profile?.applied(to: RecordingOptions()) ?? RecordingOptions()
    guard let recording = try? IndexedRecording(index: index, reader: samples, options: opening)
    else { return }
    for frame in 0..<min(recording.frameCount, 8) {
      _ = try? recording.loadFrame(frame)
      for position in sensors.indices {
        _ = recording.sampleNumber(sensor: position, frame: frame)
      }
    }
    let last = min(recording.frameCount, 4) - 1
    if last >= 0 { _ = FrameSelection(recording, frames: 0...last) }
  }

  /// One message, as every type that has the encoding.
  static func message(_ bytes: [UInt8], encoding: String) {
    let kinds: [MessageKind] = [
      .cloud, .compressedImage, .rawImage, .cameraInfo, .transforms, .transform, .odometry, .pose,
    ]
    let kind = kinds[Int(bytes.first ?? 0) % kinds.count]
    let data = bytes[min(1, bytes.count)...]
    if case .odometry = kind, encoding != "cdr" { return }
    try? kind.check(data, encoding: encoding)
    _ = try? kind.repaired(data, encoding: encoding)
    if case .cloud = kind, encoding == "cdr", let cloud = try? PointCloudMessage(cdr: data) {
      _ = try? LidarScan(cloud, readsTimes: true)
      _ = try? PointTable(cloud)
    }
    if case .cameraInfo = kind {
      let info =
        encoding == "cdr"
        ? try? CameraInfoMessage(cdr: data) : try? CameraInfoMessage(protobuf: data)
      for isRectified in [true, false] {
        _ = try? info?.calibration(
          isRectified: isRectified, egoFromFrame: .identity, sensor: "fuzz")
      }
    }
  }

  static func image(_ bytes: [UInt8]) {
    // A header may claim 100 million pixels; decoding them is legal and slow.
    guard let size = try? ImageCodec.readSize(bytes), size.width * size.height < 1 << 18 else {
      return
    }
    _ = try? ImageCodec.decode(bytes)
    let cleaned = ImageRedaction.withoutComments(bytes)
    precondition(cleaned.count <= bytes.count + 2, "an image grew by losing its comments")
  }

  static func text(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    for line in text.split(separator: "\n").prefix(64) {
      _ = KITTIText.numbers(line)
      _ = KITTITimestamps.nanoseconds(date: String(line))
      _ = try? FaultPlan(String(line))
      _ = try? MiningTrigger.list(String(line), budgetMilliseconds: 10)
      _ = FleetShard(String(line))
    }
    _ = PointFormat.xyzIntensity
    _ = LidarScan(bytes: bytes, format: .xyzIntensityRing, file: "fuzz")
  }

  /// What is read is written, and what is written is read without complaint.
  static func copy(_ bytes: [UInt8]) {
    guard bytes.count < 1 << 16,
      let reader = try? MCAPReader(bytes: bytes, path: "fuzz", options: options)
    else { return }
    let output = "/dev/shm/swiftlet-fuzz-\(ProcessInfo.processInfo.processIdentifier).mcap"
    var converting = RecordingConverter.Options(compression: .none)
    converting.leavesOutUnreadable = true
    guard
      let summary = try? MessageCopy(stores: [reader], options: converting).write(to: output),
      let copy = try? MCAPReader(path: output)
    else { return }
    var iterator = copy.messages()
    var count = 0
    while iterator.next() != nil { count += 1 }
    precondition(count == summary.messageCount, "\(summary.messageCount) written, \(count) read")
    let damage = (copy.problems + iterator.problems).filter { $0.isDamage && $0.kind != .chunkTimeRange }
    precondition(damage.isEmpty, "\(damage)")
  }

  /// A bag's SQLite part: what can be reached of its rows, and each row again by its number.
  static func database(_ bytes: [UInt8]) {
    let path = "/dev/shm/swiftlet-fuzz-\(ProcessInfo.processInfo.processIdentifier).db3"
    guard (try? Data(bytes).write(to: URL(fileURLWithPath: path))) != nil,
      let bag = try? SQLiteBag(path: path)
    else { return }
    var places: [MCAPMessage.Place] = []
    var topics: Set<String> = []
    _ = bag.scan { message in
      if places.count < 64 { places.append(message.place) }
      if topics.count < 8 { topics.insert(message.topic) }
    }
    for place in places { _ = try? bag.data(at: place) }
    for topic in topics { _ = bag.definition(topic) }
  }
}
