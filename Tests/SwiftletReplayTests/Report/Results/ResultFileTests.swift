import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// A replay of two frames of a small synthetic street, written as MCAP with its inputs.
private final class ReplayedStreet {
  let folder: TemporaryFolder
  let path: String
  let processor: PipelineProcessor
  let recording: any Recording
  var result: ReplayResult

  init() throws {
    folder = try TemporaryFolder()
    let drive = URL(fileURLWithPath: folder.path + "/drive")
    try SyntheticDriveWriter(drive: TinyDrive.make(), frameCount: 2, folder: drive).write()
    let loader = PipelineLoader(
      configuration: PipelineConfiguration(), engine: .best, threadCount: 1)
    processor = try loader.makeProcessor()
    recording = try RecordingOpener.open(path: drive.path, options: loader.recordingOptions)
    var options = ReplayOptions()
    options.isGated = false
    let source = RecordingSource(recording)
    result = Replayer(source: source, processor: processor, options: options).run()
    path = folder.path + "/result.mcap"
    var pass = RepeatPass(source: source, processor: processor)
    pass.resultFile = try ResultFile(path: path, includesInputs: true)
    pass.outputs = try OutputStore(
      resultFolder: URL(fileURLWithPath: folder.path), frameCount: nil)
    try pass.run(&result)
  }

  func messages(_ topic: String) throws -> [MCAPMessage] {
    let (messages, problems) = MCAPTestData.readAll(try MCAPReader(path: path))
    #expect(problems.isEmpty)
    return messages.filter { $0.channel.topic == topic }
  }
}

@Suite struct ResultFileTests {
  @Test func `the file holds maps, voxels, transforms, calibrations, latency and inputs in time order`()
    throws
  {
    let street = try ReplayedStreet()
    #expect(street.result.faults.isEmpty)
    let reader = try MCAPReader(path: street.path)
    let (messages, problems) = MCAPTestData.readAll(reader, order: .file)
    #expect(problems.isEmpty && messages.map(\.logTime) == messages.map(\.logTime).sorted())
    let counts = Dictionary(grouping: messages, by: { $0.channel.topic }).mapValues(\.count)
    for topic in ["/swiftlet/bev", "/swiftlet/voxels", "/swiftlet/latency", "/LIDAR_TOP/points"] {
      #expect(counts[topic] == 2, "\(topic)")
    }
    #expect(counts["/CAM_FRONT/camera_info"] == 2 && counts["/tf_static"] == 1)
    #expect(counts["/CAM_FRONT/image_raw/compressed"] == 2)
    #expect(counts.keys.filter { $0.hasSuffix("camera_info") }.count == 6)
  }

  @Test func `voxels are the map's occupied ones, each in its cell`() throws {
    let street = try ReplayedStreet()
    let grid = try #require(street.processor.pipeline.occupancy)
    let last = try #require(try street.messages("/swiftlet/voxels").last)
    var reader = ProtobufReader(last.data)
    var fields: [UInt64: ProtobufReader.Value] = [:]
    while let field = try reader.next() { if field.number != 10 { fields[field.number] = field.value } }
    let data = Array(try #require(fields[11]?.bytes))
    let (rows, columns) = (Int(fields[4]?.unsigned ?? 0), Int(fields[5]?.unsigned ?? 0))
    #expect(fields[9]?.unsigned == 5 && fields[8]?.unsigned == UInt64(columns * 5))
    #expect(fields[7]?.unsigned == UInt64(rows * columns * 5))
    #expect(data.count % (rows * columns * 5) == 0)
    let cells = stride(from: 0, to: data.count, by: 5)
    #expect(cells.count { data[$0] > 0 } == grid.occupiedCount)
    #expect(cells.allSatisfy { (data[$0] > 0) == (data[$0 + 4] == 255) })
    let message = ResultFile.voxels(grid, MessageHeader(stampNanoseconds: 0, frameID: "odom"))
    grid.forEachOccupied { key, center, _ in
      let cell = ((center - message.originMeters) / message.cellSizeMeters).rounded(.down)
      let at = ((Int(cell.z) * rows + Int(cell.y)) * columns + Int(cell.x)) * 5
      #expect(data[at] == UInt8(ResultFile.percent(grid.logOdds(key) ?? 0)))
    }
  }

  @Test func `the ego moves as the recording says, and the file is a recording itself`() throws {
    let street = try ReplayedStreet()
    let again = try RecordingOpener.open(path: street.path, options: RecordingOptions())
    #expect(again.frameCount == 2)
    for index in 0..<2 {
      let (first, second) = (try street.recording.loadFrame(index), try again.loadFrame(index))
      let (a, b) = (first.sensorFrame, second.sensorFrame)
      #expect(a.lidars[0].points.count == b.lidars[0].points.count)
      #expect(a.timestampNanoseconds == b.timestampNanoseconds)
      let distance = zip(a.worldFromEgo.rowMajor4x4, b.worldFromEgo.rowMajor4x4)
        .map { abs($0 - $1) }.max() ?? 1
      #expect(distance < 1e-9)
      #expect(a.cameras.map(\.intrinsics.focalX).sorted() == b.cameras.map(\.intrinsics.focalX).sorted())
    }
  }

  @Test func `latency is what was measured`() throws {
    let street = try ReplayedStreet()
    let message = try #require(try street.messages("/swiftlet/latency").last)
    var reader = try CDRReader(message.data)
    _ = try reader.header()
    #expect(try reader.uint32("frame") == 1)
    let service = try reader.float64("service")
    #expect(service == milliseconds(street.result.records[1].serviceNanoseconds))
    #expect(try reader.float64("response").isNaN)
    #expect(try reader.float64("budget") == 10)
  }

  @Test func `kept outputs of a frame hold its maps and its voxels`() throws {
    let street = try ReplayedStreet()
    let bytes = try street.folder.read("outputs/frame_000001.safetensors")
    let file = try SafeTensors(bytes: bytes)
    let pipeline = street.processor.pipeline
    #expect(file.tensors["fused_bev"]?.floats() == pipeline.fusedBEV.features.array)
    let grid = try #require(pipeline.occupancy)
    let values = try #require(file.tensors["occupancy"]?.int8s())
    let counts = grid.cellCounts
    grid.forEachOccupied { key, _, _ in
      let (x, y, z) = (
        Int(key.x - grid.origin.x), Int(key.y - grid.origin.y), Int(key.z - grid.origin.z)
      )
      #expect(values[(y * counts.x + x) * counts.z + z] > 0)
    }
    #expect(values.count { $0 != -128 } == grid.knownCount)
  }
}

@Suite struct TopDownMapTests {
  @Test func `what stands up is occupied, the ground is free, the rest unknown`() throws {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = 0.4
    (configuration.cellCountX, configuration.cellCountY, configuration.cellCountZ) = (64, 64, 32)
    let grid = try OccupancyGrid(
      configuration: configuration, engine: .reference, pool: WorkerPool(threadCount: 1))
    grid.recenter(onWorld: .zero)
    var points: [SIMD3<Float>] = []
    for x in 0..<20 { for y in 0..<20 { points.append(SIMD3(Float(x) * 0.4 + 1, Float(y) * 0.4 + 1, 0.1)) } }
    // A post at (5, 5), two metres high.
    for z in 0..<6 { points.append(SIMD3(5.1, 5.1, 0.1 + 0.4 * Float(z))) }
    // The places above are the world's; the scan is seen from the LiDAR.
    let values: [Float] = points.flatMap { [$0.x - 3, $0.y - 3, $0.z - 1.5, 0] }
    values.withUnsafeBytes { raw in
      let cloud = PointCloudView(base: raw.baseAddress, count: points.count, byteStride: 16)
      grid.insert(
        cloud,
        worldFromLidar: RigidTransform(rotation: Matrix3.identity, translation: SIMD3(3, 3, 1.5)))
    }
    let message = TopDownMap(grid).message(MessageHeader(stampNanoseconds: 7, frameID: "odom"))
    func cell(_ x: Double, _ y: Double) -> Int8 {
      let column = Int(((x - message.originPosition.x) / 0.4).rounded(.down))
      let row = Int(((y - message.originPosition.y) / 0.4).rounded(.down))
      return message.cells[row * message.width + column]
    }
    #expect(cell(5.1, 5.1) == 70)
    #expect(cell(2.1, 2.1) == 0)
    #expect(cell(-8, -8) == -1)
    #expect(message.cells.count { $0 > 0 } == 1)
  }
}

@Suite(
  .enabled(if: MCAPTestData.judges != nil, "SWIFTLET_JUDGES names no Python with mcap and rosbags"))
struct ResultFileJudgeTests {
  static let script = """
    import sys
    from pathlib import Path
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory
    from rosbags.highlevel import AnyReader
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    path = sys.argv[1]
    seen, voxels = {}, 0
    with open(path, 'rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        for schema, channel, message in reader.iter_messages():
            seen[channel.topic] = seen.get(channel.topic, 0) + 1
            if schema.encoding == 'protobuf':
                files = descriptor_pb2.FileDescriptorSet.FromString(schema.data)
                pool = descriptor_pool.DescriptorPool()
                for f in files.file: pool.Add(f)
                kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
                grid = kind.FromString(message.data)
                assert len(grid.data) % (grid.row_count * grid.column_count * grid.cell_stride) == 0
                assert [f.name for f in grid.fields] == ['occupancy', 'red', 'green', 'blue', 'alpha']
                assert [f.type for f in grid.fields] == [1] * 5 and grid.pose.orientation.w == 1
                voxels += sum(1 for v in grid.data[::5] if v)
    ros = [t for t in seen if t != '/swiftlet/voxels']
    with open(path, 'rb') as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        decoded = [m for _, c, _, m in reader.iter_decoded_messages(topics=ros) if c.topic == '/swiftlet/latency']
        assert [m.frame for m in decoded] == [0, 1] and list(decoded[0].stage_names)[1:] == ['project', 'update', 'fuse']
    with AnyReader([Path(sys.argv[2])]) as reader:
        assert {c.topic for c in reader.connections} == set(ros)
        messages = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
    grids = [m for m in messages if type(m).__name__.endswith('OccupancyGrid')]
    print(len(seen), seen['/swiftlet/voxels'], len(grids), grids[0].info.width * grids[0].info.height == len(grids[0].data), voxels > 0)
    """

  @Test func `mcap, mcap-ros2-support, rosbags and protobuf read what a replay writes`() throws {
    let street = try ReplayedStreet()
    // rosbags opens no file that holds anything but ROS messages: it gets the others.
    let messages = MCAPTestData.readAll(try MCAPReader(path: street.path)).messages
    var options = RecordingConverter.Options()
    options.topics = Set(messages.map(\.channel.topic)).subtracting(["/swiftlet/voxels"])
    let ros = street.path + ".ros.mcap"
    defer { try? FileManager.default.removeItem(atPath: ros) }
    _ = try RecordingConverter(options: options).convert(street.path, to: ros)
    let (output, status) = try MCAPJudgeTests.run(Self.script, [street.path, ros])
    #expect(status == 0 && output == "18 2 2 True True\n", "\(output)")
  }
}

/// Of its own: a suite's trait cannot read the suite it describes.
private enum RerunTool {
  static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    let beside = environment["SWIFTLET_JUDGES"].map {
      URL(fileURLWithPath: $0).deletingLastPathComponent().appending(path: "rerun").path
    }
    return [environment["SWIFTLET_RERUN"], beside].compactMap(\.self)
      .first(where: FileManager.default.isExecutableFile)
  }()
}

/// Rerun's own command-line tool, headless. `SWIFTLET_RERUN` names it; else it is looked for beside
/// the judges' Python.
@Suite(.enabled(if: RerunTool.path != nil, "no rerun: set SWIFTLET_RERUN to rerun-sdk's tool"))
struct RerunTests {
  private func run(_ arguments: [String]) throws -> (output: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(RerunTool.path))
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: output, as: UTF8.self), process.terminationStatus)
  }

  @Test func `Rerun finds nothing wrong and draws maps, voxels, images, clouds, cameras and frames`()
    throws
  {
    let street = try ReplayedStreet()
    let check = try run(["mcap", "check", street.path])
    #expect(check.status == 0, "\(check.output)")
    // The first line is the file's path; every other one with a topic starts with its status.
    let issues = check.output.split(separator: "\n").filter {
      $0.contains("/") && !$0.hasPrefix("ok") && $0 != street.path
    }
    #expect(issues.isEmpty, "\(issues)")
    let recording = street.folder.path + "/result.rrd"
    let convert = try run(["mcap", "convert", street.path, "-o", recording])
    #expect(convert.status == 0, "\(convert.output)")
    #expect(try run(["rrd", "verify", recording]).status == 0)
    let content = try run(["rrd", "print", recording]).output
    for part in [
      "VoxelGridMap:voxel_indices", "VoxelGridMap:colors", "GridMap:data",
      "Transform3D:translation", "Pinhole:image_from_camera", "EncodedImage:blob",
      "Points3D:positions",
    ] { #expect(content.contains(part), "\(part)") }
  }
}
