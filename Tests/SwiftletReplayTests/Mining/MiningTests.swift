import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct MiningTests {
  private func mine(
    _ recording: any Recording, _ triggers: String, _ folder: TemporaryFolder,
    redaction: Redaction? = nil, configuration: PipelineConfiguration = SmallPipeline.configuration
  ) throws -> (index: MiningIndex, miner: FrameMiner) {
    var options = RecordingMiner.Options(
      triggers: try MiningTrigger.list(triggers, budgetMilliseconds: 10))
    options.beforeSeconds = 0.2
    options.afterSeconds = 0.1
    options.redaction = redaction
    let processor = try PipelineLoader(
      configuration: configuration, engine: .best, threadCount: 1
    ).makeProcessor()
    let miner = FrameMiner(
      recording: recording, processor: processor, triggers: options.triggers)
    miner.run()
    let index = try RecordingMiner(options: options).write(
      miner, of: recording, to: folder.path + "/clips")
    return (index, miner)
  }

  @Test func `triggers are read with thresholds and units, and nonsense is refused`() throws {
    let triggers = try MiningTrigger.list("budget=8ms,close=6m,braking", budgetMilliseconds: 10)
    #expect(triggers.map(\.threshold) == [8, 6, 3])
    #expect(try MiningTrigger.list("all", budgetMilliseconds: 5).count == 7)
    for text in ["", "fast", "close=near", "close=-1m", "=", "=6m", "close=", "budget=8ms,="] {
      #expect(throws: ConfigurationError.self, "\(text)") {
        _ = try MiningTrigger.list(text, budgetMilliseconds: 10)
      }
    }
  }

  @Test func `a lost camera is found where it is lost, and the clip holds the frames around`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 30)
    for frame in 14..<16 { builder.remove("sample_data", "CAM_BACK-0-\(frame)") }
    let recording = try builder.open(folder, RecordingOptions(maximumAge: .milliseconds(50)))
    let (index, _) = try mine(recording, "lost", folder)
    #expect(index.clips.count == 1)
    let clip = try #require(index.clips.first)
    #expect(clip.firstFrame == 12 && clip.lastFrame == 16)
    #expect(clip.events.map(\.detail) == ["CAM_BACK"])
    let opened = try RecordingOpener.open(path: "\(folder.path)/clips/\(clip.file)")
    #expect(opened.frameCount == 5)
    #expect(index.triggers.map(\.fired) == [2] && index.triggers.map(\.evaluated) == [30])
  }

  @Test func `braking is found by the ego's way, and steady driving is not`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 40)
    // 5 m/s, from 2 s on 5 m/s² down to a stand.
    func place(_ seconds: Double) -> Double {
      let braked = min(max(seconds - 2, 0), 1)
      return 5 * min(seconds, 2) + 5 * braked - 2.5 * braked * braked
    }
    for row in builder.tables["ego_pose"] ?? [] {
      guard let token = row["token"]?.stringValue, let time = row["timestamp"]?.intValue else { continue }
      let seconds = Double(Int64(time) - NuScenesBuilder.start) / 1e6
      builder.edit("ego_pose", token) {
        $0["translation"] = NuScenesBuilder.numbers([place(seconds), 0, 0])
      }
    }
    let (index, miner) = try mine(try builder.open(folder), "braking=3", folder)
    let event = try #require(index.clips.first?.events.first)
    #expect(index.clips.count == 1 && (20...30).contains(event.frame) && event.value > 3)
    #expect(miner.frames.prefix(14).allSatisfy { abs($0.values[.braking] ?? 0) < 0.1 })
  }

  @Test func `unknown space ahead is all of it without a scan, and less with one`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 3)
    for frame in 0..<2 { builder.replace(builder.file("LIDAR_TOP", frame)) { _ in [] } }
    let (_, miner) = try mine(try builder.open(folder), "unknown", folder)
    let shares = miner.frames.compactMap { $0.values[.unknown] }
    #expect(shares.count == 3 && shares[0] == 1 && shares[1] == 1 && shares[2] < 1)
  }

  @Test func `network depth that differs from the LiDAR is found, agreeing depth is not`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 3)
    // A wall of points 20 m ahead, as seen by the front camera's every cell.
    var wall: [Float] = []
    for y in stride(from: -10.0, through: 10, by: 0.25) {
      for z in stride(from: -2.0, through: 3, by: 0.25) { wall += [20, Float(y), Float(z), 1, 0] }
    }
    for frame in 0..<3 {
      builder.replace(builder.file("LIDAR_TOP", frame)) { _ in floatBytes(wall) }
    }
    try builder.write(to: folder)
    let recording = try RecordingOpener.open(path: folder.path)
    let frame = try recording.loadFrame(0)
    let camera = frame.sensorFrame.cameras[0]
    let (rows, columns) = (camera.networkHeightPixels / 16, camera.networkWidthPixels / 16)
    let bins = SmallPipeline.configuration.depth.binCount
    for (number, meters) in [18, 18, 40].enumerated() {
      var depth = [Float](repeating: 0, count: bins * rows * columns)
      for cell in 0..<rows * columns { depth[(meters - 1) * rows * columns + cell] = 1 }
      let features = [Float](repeating: 1, count: rows * columns * 16)
      let name = RecordingFile.stem(builder.file("CAM_FRONT", number))
      try folder.write(
        "network_outputs/CAM_FRONT/\(name).safetensors",
        SafeTensors(tensors: [
          "depth": HostTensor(depth, shape: [bins, rows, columns]),
          "features": HostTensor(features, shape: [rows, columns, 16]),
        ]).serialized())
    }
    let again = try RecordingOpener.open(path: folder.path)
    let (index, miner) = try mine(again, "disagreement", folder)
    let shares = miner.frames.map { $0.values[.disagreement] }
    #expect(shares[0] == 0 && shares[1] == 0 && shares[2] == 1, "\(shares)")
    #expect(index.clips.count == 1 && index.clips[0].events[0].frame == 2)
    // The clip has its network outputs beside it.
    let clip = try RecordingOpener.open(path: "\(folder.path)/clips/\(index.clips[0].file)")
    let last = try clip.loadFrame(clip.frameCount - 1)
    let hasDepth = last.withSensorFrame { $0.cameras[0].depth != nil }
    #expect(hasDepth)
  }

  @Test func `a trigger that can look at nothing says why instead of finding nothing`() throws {
    let folder = try TemporaryFolder()
    let (index, _) = try mine(try NuScenesBuilder(frames: 3).open(folder), "disagreement,drift", folder)
    #expect(index.triggers.allSatisfy { $0.evaluated == 0 && $0.note != nil })
  }

  @Test func `something that moves into free space is near, what stands there is not`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 12)
    // The ego stands; a wall 20 m ahead lets rays free the space before it.
    for row in builder.tables["ego_pose"] ?? [] {
      builder.edit("ego_pose", row["token"]?.stringValue ?? "") {
        $0["translation"] = NuScenesBuilder.numbers([0, 0, 0])
      }
    }
    var wall: [Float] = []
    for y in stride(from: -8.0, through: 8, by: 0.1) {
      for z in stride(from: -1.8, through: 1.5, by: 0.1) { wall += [20, Float(y), Float(z), 1, 0] }
    }
    var person: [Float] = []
    for y in stride(from: 1.4, through: 1.9, by: 0.1) {
      for z in stride(from: -1.2, through: 0.0, by: 0.1) { person += [7, Float(y), Float(z), 1, 0] }
    }
    for frame in 0..<12 {
      builder.replace(builder.file("LIDAR_TOP", frame)) { _ in
        floatBytes(frame == 10 ? wall + person : wall)
      }
    }
    let (index, miner) = try mine(try builder.open(folder), "close=10", folder)
    #expect(miner.frames[..<10].allSatisfy { $0.values[.close] == nil })
    let distance = try #require(miner.frames[10].values[.close])
    #expect(abs(distance - 7.2) < 0.8 && index.clips.count == 1)
  }

  // MARK: redaction

  @Test func `offset positions begin at the origin along x, dropped ones are gone`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 6)
    let half = 0.5.squareRoot()
    for row in builder.tables["ego_pose"] ?? [] {
      guard let token = row["token"]?.stringValue, let time = row["timestamp"]?.intValue else { continue }
      let way = 5 * Double(Int64(time) - NuScenesBuilder.start) / 1e6
      builder.edit("ego_pose", token) {
        // North, far from the origin.
        $0["translation"] = NuScenesBuilder.numbers([4_321.5, 1_234.25 + way, 17])
        $0["rotation"] = NuScenesBuilder.numbers([half, 0, 0, half])
      }
    }
    let recording = try builder.open(folder)
    for source in [recording, try FrameClipTests.clip(recording, 0...5, folder)] {
      let inner = try TemporaryFolder()
      let moved = try FrameClipTests.clip(source, 1...4, inner) {
        $0.redaction = Redaction(positions: .offset)
      }
      for frame in 0..<4 {
        let loaded = try moved.loadFrame(frame)
        let original = try recording.loadFrame(frame + 1)
        let place = loaded.sensorFrame.worldFromEgo.translation
        #expect(abs(place.x - 0.5 * Double(frame)) < 1e-9 && abs(place.y) < 1e-9 && abs(place.z) < 1e-9)
        // What the frame is made of is the same seen from the ego.
        for (c, d) in zip(loaded.sensorFrame.cameras, original.sensorFrame.cameras) {
          #expect(MCAPRecordingTests.distance(c.keyEgoFromCamera, d.keyEgoFromCamera) < 1e-9)
        }
      }
      let bytes = try inner.read("clip.mcap")
      #expect(!bytes.isEmpty)
      let dropped = try FrameClipTests.clip(source, 1...4, try TemporaryFolder()) {
        $0.redaction = Redaction(positions: .drop)
        $0.compression = .none
      }
      #expect(dropped.warnings.contains { $0.code == ReplayWarning.poseMissing })
      #expect(try dropped.loadFrame(2).sensorFrame.worldFromEgo == .identity)
    }
  }

  @Test func `no number of the place is left in a redacted file`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 4)
    for row in builder.tables["ego_pose"] ?? [] {
      builder.edit("ego_pose", row["token"]?.stringValue ?? "") {
        $0["translation"] = NuScenesBuilder.numbers([4_321.5, 1_234.25, 17.125])
      }
    }
    let recording = try builder.open(folder)
    var patterns: [[UInt8]] = []
    for value in [4_321.5, 1_234.25, 17.125] {
      patterns.append(withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
    }
    func holds(_ redaction: Redaction?) throws -> [Bool] {
      let inner = try TemporaryFolder()
      _ = try FrameClipTests.clip(recording, 0...3, inner) {
        $0.redaction = redaction
        $0.compression = .none
      }
      let bytes = Data(try inner.read("clip.mcap"))
      return patterns.map { bytes.range(of: Data($0)) != nil }
    }
    // The search finds what is there.
    #expect(try holds(nil) == [true, true, true])
    #expect(try holds(Redaction(positions: .offset)) == [false, false, false])
    #expect(try holds(Redaction(positions: .drop)) == [false, false, false])
  }

  @Test func `boxes are tiles of their mean, the rest of the image stays`() throws {
    var image = RGBImage(widthPixels: 64, heightPixels: 48)
    for index in image.pixels.indices { image.pixels[index] = UInt8(truncatingIfNeeded: index &* 37) }
    let before = image
    ImageRedaction.blur(&image, Redaction.Box(sensor: "", x: 10, y: 8, width: 16, height: 12))
    var colours: Set<[UInt8]> = []
    for y in 0..<48 {
      for x in 0..<64 {
        let at = (y * 64 + x) * 3
        let pixel = Array(image.pixels[at..<at + 3])
        if (10..<26).contains(x), (8..<20).contains(y) {
          colours.insert(pixel)
        } else {
          #expect(pixel == Array(before.pixels[at..<at + 3]))
        }
      }
    }
    #expect(colours.count <= 16)
    // Outside, empty and huge boxes are no trap.
    ImageRedaction.blur(&image, Redaction.Box(sensor: "", x: -5, y: 40, width: 1_000, height: 1_000))
    ImageRedaction.blur(&image, Redaction.Box(sensor: "", x: 500, y: 0, width: 5, height: 5))
  }

  @Test func `a JPEG loses its EXIF and keeps its picture`() throws {
    let plain = try JPEGCodec.encode(RGBImage(widthPixels: 16, heightPixels: 16))
    let exif = Array("Exif\0\0GPS 52.5N 13.4E".utf8)
    let length = exif.count + 2
    let segment: [UInt8] = [0xff, 0xe1, UInt8(length >> 8), UInt8(length & 255)] + exif
    let tagged = Array(plain[..<2]) + segment + Array(plain[2...])
    let cleaned = ImageRedaction.withoutComments(tagged)
    #expect(Data(cleaned).range(of: Data("GPS".utf8)) == nil)
    #expect(try ImageCodec.decode(cleaned) == ImageCodec.decode(plain))
    #expect(ImageRedaction.withoutComments([0xff, 0xd8, 0xff, 0xe1, 0xff]) == [0xff, 0xd8, 0xff, 0xe1, 0xff])
  }
}
