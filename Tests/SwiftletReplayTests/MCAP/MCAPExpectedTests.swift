import Swiftlet
import Testing

@testable import SwiftletReplay

/// Real recordings and their variants against what independent readers found in them.
@Suite(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
struct MCAPExpectedTests {
  static let files = [
    "kitti_foxglove.mcap", "kitti_ros2.mcap", "nuscenes_ros2.mcap",
    "rosbag2_mcap/rosbag2_mcap.mcap", "variants/camera_missing.mcap", "variants/clock_jump.mcap",
    "variants/duplicate_timestamps.mcap", "variants/late_frame.mcap",
    "variants/nuscenes_five_of_six_cameras.mcap", "variants/small.mcap",
    "variants/unordered.mcap", "variants/unchunked.mcap", "variants/no_summary.mcap",
  ]

  static func expected(_ file: String) throws -> JSONValue {
    let document = try JSONReader.parse(try MCAPTestData.bytes("mcap-real/expected.json"))
    return try #require(document[file])
  }

  @Test(arguments: files)
  func `topics, counts and times are those independent readers found`(file: String) throws {
    let expected = try Self.expected(file)
    let reader = try MCAPReader(path: MCAPTestData.path("mcap-real/\(file)"))
    let (messages, problems) = MCAPTestData.readAll(reader)
    #expect(problems.filter(\.isDamage).isEmpty)
    #expect(messages.count == expected["messages"]?.intValue)
    #expect(messages.map(\.logTime) == messages.map(\.logTime).sorted())
    let topics = try #require(expected["topics"]?.objectValue)
    let found = Dictionary(grouping: messages, by: \.channel.topic)
    #expect(Set(found.keys) == Set(topics.filter { $0.value["count"]?.intValue != 0 }.keys))
    for (topic, list) in found {
      let entry = try #require(topics[topic])
      #expect(list.count == entry["count"]?.intValue, "\(topic)")
      #expect(list.first?.schema?.name == entry["type"]?.stringValue)
      #expect(list.first.map { Int($0.logTime) } == entry["first_log_ns"]?.intValue)
      #expect(list.last.map { Int($0.logTime) } == entry["last_log_ns"]?.intValue)
    }
  }

  @Test(arguments: files)
  func `every cloud and image has the size, stamp and payload CRC it should`(file: String) throws {
    let list = try #require(try Self.expected(file)["clouds_and_images"]?.arrayValue)
    let reader = try MCAPReader(path: MCAPTestData.path("mcap-real/\(file)"))
    let topics = Set(list.compactMap { $0["topic"]?.stringValue })
    let messages = MCAPTestData.readAll(
      reader, order: .file, filter: MCAPMessageFilter(topics: topics)
    ).messages
    #expect(messages.count == list.count)
    for entry in list {
      let topic = try #require(entry["topic"]?.stringValue)
      let candidates = messages.filter {
        $0.channel.topic == topic && Int($0.logTime) == entry["log_ns"]?.intValue
          && Int($0.publishTime) == entry["publish_ns"]?.intValue
      }
      let fits = try candidates.contains { try Self.fits($0, entry) }
      #expect(fits, "\(entry)")
    }
  }

  private static func fits(_ message: MCAPMessage, _ entry: JSONValue) throws -> Bool {
    let isCDR = message.channel.messageEncoding == "cdr"
    if let crc = entry["crc32"]?.intValue {
      let image =
        isCDR
        ? try CompressedImageMessage(cdr: message.data)
        : try CompressedImageMessage(protobuf: message.data)
      return Int(image.header.stampNanoseconds) == entry["stamp_ns"]?.intValue
        && image.header.frameID == entry["frame"]?.stringValue
        && image.format == entry["format"]?.stringValue
        && image.data.count == entry["bytes"]?.intValue && Int(CRC32.of(image.data)) == crc
    }
    let cloud =
      isCDR
      ? try PointCloudMessage(cdr: message.data) : try PointCloudMessage(protobuf: message.data)
    let scan = try LidarScan(cloud)
    var sum = SIMD3<Double>.zero
    for index in 0..<scan.count {
      sum += SIMD3(
        Double(scan.values[index * 4]), Double(scan.values[index * 4 + 1]),
        Double(scan.values[index * 4 + 2]))
    }
    let mean = try #require(entry["mean_xyz"]?.doublesValue)
    let difference = sum / Double(scan.count) - SIMD3(mean[0], mean[1], mean[2])
    return Int(cloud.header.stampNanoseconds) == entry["stamp_ns"]?.intValue
      && cloud.header.frameID == entry["frame"]?.stringValue
      && scan.count == entry["finite"]?.intValue
      && Int(CRC32.of(cloud.data)) == entry["data_crc32"]?.intValue
      // The expected mean is printed with six digits.
      && (difference * difference).sum().squareRoot() < 2e-6
  }

  @Test(arguments: ["kitti_ros2.mcap", "nuscenes_ros2.mcap"])
  func `as many points fall into each image as its own tf and camera info say`(
    file: String
  ) throws {
    let recording = try RecordingOpener.open(
      path: MCAPTestData.path("mcap-real/\(file)"),
      options: RecordingOptions(keepsEgoBodyPoints: true, decodesImages: false))
    for entry in try #require(try Self.expected(file)["in_view"]?.arrayValue) {
      let index = try #require(
        (0..<recording.frameCount).first {
          Int(recording.frameTimestampNanoseconds($0)) == entry["cloud_stamp_ns"]?.intValue
        })
      let loaded = try recording.loadFrame(index)
      let frame = loaded.sensorFrame
      let camera = try #require(frame.cameras.first { $0.name == entry["camera"]?.stringValue })
      let lidar = try #require(frame.lidars.first)
      let cameraFromLidar = camera.keyEgoFromCamera.inverse * lidar.egoFromLidar
      var count = 0
      for number in 0..<lidar.points.count {
        let point =
          cameraFromLidar
          * SIMD3(
            Double(lidar.points.value(number, 0)), Double(lidar.points.value(number, 4)),
            Double(lidar.points.value(number, 8)))
        let k = camera.intrinsics
        let (u, v) = (
          k.focalX * point.x / point.z + k.centerX, k.focalY * point.y / point.z + k.centerY
        )
        if point.z > 1, u >= 0, v >= 0, u < Double(k.widthPixels), v < Double(k.heightPixels) {
          count += 1
        }
      }
      withExtendedLifetime(loaded) {}
      let expected = try #require(entry["in_view_depth_over_1m"]?.intValue)
      // A point on the border may fall to either side by a rounding.
      #expect(abs(count - expected) <= 1, "\(entry): \(count)")
    }
  }
}
