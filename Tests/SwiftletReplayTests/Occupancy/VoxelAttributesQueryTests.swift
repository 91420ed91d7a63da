import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// Classes of points from file to voxel, and the table, file and picture made of them.
@Suite struct VoxelAttributesQueryTests {
  private static let time = NuScenesBuilder.start * 1000

  // MARK: reading

  private func labelled(
    _ labels: [UInt8] = [24, 17, 30, 2], indexed: Bool = true
  ) throws -> NuScenesBuilder {
    var builder = try NuScenesBuilder(frames: 1)
    let token = "LIDAR_TOP-0-0"
    let file = "lidarseg/v1.0-mini/\(token)_lidarseg.bin"
    builder.tables["lidarseg"] = [
      ["token": .string(token), "sample_data_token": .string(token), "filename": .string(file)]
    ]
    let names = [
      2: "human.pedestrian.adult", 17: "vehicle.car", 24: "flat.driveable_surface",
      30: "static.vegetation",
    ]
    builder.tables["category"] = names.map { index, name in
      let row: NuScenesBuilder.Row = ["token": .string(name), "name": .string(name)]
      return indexed ? row.merging(["index": .integer(Int64(index))]) { $1 } : row
    }
    builder.files.append((file, labels))
    return builder
  }
  private func open(_ builder: NuScenesBuilder, _ folder: TemporaryFolder) throws -> any Recording {
    var options = RecordingOptions(decodesImages: false)
    options.readsPointLabels = true
    return try builder.open(folder, options)
  }

  @Test func `labels stay with their points when others are left out`() throws {
    let folder = try TemporaryFolder()
    // The fourth point lies on the own car.
    #expect(try open(labelled(), folder).loadFrame(0).pointLabels == [[11, 4, 16]])
    #expect(try RecordingOpener.open(path: folder.path).loadFrame(0).pointLabels == [[]])
    var damaged = try labelled()
    let scan = damaged.file("LIDAR_TOP", 0)
    damaged.replace(scan) { floatBytes([.nan]) + $0.dropFirst(4) }
    let another = try TemporaryFolder()
    let frame = try open(damaged, another).loadFrame(0)
    #expect(frame.pointLabels == [[4, 16]] && frame.notFinitePointCount == 1)
    // … whichever of them it is.
    var three = LidarScan(
      bytes: floatBytes([9, 0, 0, 1, 0.5, 0, 0, 2, 8, 0, 0, 3]), format: .xyzIntensity, file: "")
    three.labels = [4, 2, 11]
    let body = EgoBodyBox(minimum: SIMD3(-1, -1, -1), maximum: SIMD3(1, 1, 1))
    #expect(three.removePoints(inside: body, egoFromLidar: .identity) == 1)
    #expect(three.labels == [4, 11] && three.values == [9, 0, 0, 1, 8, 0, 0, 3])
  }

  @Test func `labels that are not one a point, or mean nothing, are left out with a warning`()
    throws
  {
    let folder = try TemporaryFolder()
    let frame = try open(labelled([24, 17, 30]), folder).loadFrame(0)
    #expect(frame.pointLabels == [[]])
    #expect(frame.warnings.count(ReplayWarning.pointLabelsInvalid, sensor: "LIDAR_TOP") == 1)
    let another = try TemporaryFolder()
    let unnamed = try open(labelled(indexed: false), another)
    #expect(unnamed.warnings.count(ReplayWarning.pointLabelsInvalid) == 1)
    #expect(try unnamed.loadFrame(0).pointLabels == [[]])
  }

  @Test func `SemanticKITTI's labels are read by their lower half`() throws {
    let folder = try TemporaryFolder()
    let sequence = "sequences/00"
    let identity = "1 0 0 0 0 1 0 0 0 0 1 0"
    try folder.write("\(sequence)/times.txt", "0.0\n0.1\n")
    try folder.write("\(sequence)/calib.txt", "P0: \(identity)\nTr: \(identity)\n")
    try folder.write("\(sequence)/poses.txt", "\(identity)\n\(identity)\n")
    let points = floatBytes([10, 0, 1, 0.5, 0, 9, 1, 0.25, -9, 1, 1, 1])
    for frame in 0..<2 { try folder.write("\(sequence)/velodyne/00000\(frame).bin", points) }
    // A road, instance 7 of a moving car, and a number that is not defined.
    let numbers: [UInt32] = [40, 7 << 16 | 252, 1000]
    try folder.write(
      "\(sequence)/labels/000000.label",
      numbers.flatMap { n in (0..<4).map { UInt8(truncatingIfNeeded: n >> (8 * $0)) } })
    var options = RecordingOptions()
    options.readsPointLabels = true
    let recording = try RecordingOpener.open(path: folder.path, options: options)
    #expect(try recording.loadFrame(0).pointLabels == [[11, 4, 255]])
    #expect(try recording.loadFrame(1).pointLabels == [[]])
    #expect(PointLabelFormat.nuScenesClass("vehicle.emergency.police") == 0)
    #expect(PointLabelFormat.nuScenesClass("vehicle.ego") == 255)
  }

  @Test func `a synthetic drive knows the class of every point, as its boxes confirm`() throws {
    let drive = try TinyDrive.make()
    let frame = try TinyDrive.frame.get()
    let format = PointLabelFormat(
      nuScenes: Dictionary(
        uniqueKeysWithValues: SyntheticLabel.allCases.map { (Int($0.rawValue), $0.name) }))
    let labels = try #require(format.labels(frame.pointLabels))
    #expect(labels.count == frame.points.count / 5 && labels.count > 1000)
    let worldFromLidar = frame.worldFromEgo * drive.rig.lidar.egoFromLidar
    var inside = 0
    for point in labels.indices {
      let p = SIMD3(
        frame.points[5 * point], frame.points[5 * point + 1], frame.points[5 * point + 2])
      let world = worldFromLidar * SIMD3<Double>(p)
      let box = frame.boxes.first { box in
        let local = box.worldFromBox.inverse * world
        let half = box.size / 2 - 0.1
        return !box.isMoving && abs(local.x) < half.x && abs(local.y) < half.y
          && abs(local.z) < half.z
      }
      guard let box else { continue }
      inside += 1
      let expected: UInt8 = box.category == .pedestrian ? 7 : box.category == .van ? 10 : 4
      #expect(labels[point] == expected, "\(box.category)")
    }
    #expect(inside > 10)
    // Road is low in the ego's axes, pavements and facades are not.
    let heights = labels.indices.filter { labels[$0] == 11 }.map { point in
      let p = SIMD3(
        frame.points[5 * point], frame.points[5 * point + 1], frame.points[5 * point + 2])
      return (drive.rig.lidar.egoFromLidar * SIMD3<Double>(p)).z
    }
    #expect(heights.count > 100 && heights.allSatisfy { abs($0) < 0.5 })
    #expect(Set(labels).isSuperset(of: [11, 13, 15]), "road, sidewalk, facades")
  }

  // MARK: feeding

  private func grid() throws -> OccupancyGrid {
    var c = OccupancyConfiguration()
    (c.voxelSizeMeters, c.maximumRangeMeters, c.mode) = (0.5, 12, .exact)
    (c.cellCountX, c.cellCountY, c.cellCountZ, c.lowerZMeters) = (60, 60, 20, -4)
    return try OccupancyGrid(configuration: c, engine: .best, pool: WorkerPool(threadCount: 1))
  }
  private func frame(
    _ points: [SIMD4<Float>], labels: [UInt8], hasIntensity: Bool = true
  ) -> RecordedFrame {
    let buffer = AlignedBuffer(points.flatMap { [$0.x, $0.y, $0.z, $0.w] })
    var view = PointCloudView(
      base: UnsafeRawPointer(buffer.pointer), count: points.count, byteStride: 16)
    if hasIntensity { view.intensityByteOffset = 12 }
    let lidar = LidarInput(
      name: "LIDAR", timestampNanoseconds: Self.time, ageNanoseconds: 0, isValid: true,
      points: view, egoFromLidar: .identity, worldFromLidar: .identity)
    return RecordedFrame(
      index: 0,
      sensorFrame: SensorFrame(
        timestampNanoseconds: Self.time, worldFromEgo: .identity, resetsHistory: false, cameras: [],
        lidars: [lidar]),
      warnings: [], pointLabels: [labels], storage: [buffer])
  }
  private func feed(
    _ frames: [RecordedFrame], root: String = "none",
    _ change: (inout AttributeFeeder.Settings) -> Void = { _ in }
  ) throws -> AttributeResult {
    var settings = AttributeFeeder.Settings()
    change(&settings)
    let grid = try grid()
    let feeder = AttributeFeeder(root: root, settings: settings)
    grid.recenter(onWorld: .zero)
    for frame in frames {
      frame.withSensorFrame { _ = grid.insert($0.lidars[0].points, worldFromLidar: .identity) }
      try feeder.add(frame, in: grid)
    }
    return AttributeResult(
      feeder,
      window: QueryWindow(
        grid: grid, worldFromEgo: .identity, frameCount: frames.count, timestampNanoseconds: 0,
        warnings: []))
  }

  /// A voxel as the vote and the mean of its definition leave it.
  private struct Voted {
    var label: UInt8 = 255
    var weight = 0
    var mean = 0.0
    var seen = 0
    var counts: [UInt8: Int] = [:]

    mutating func take(_ new: UInt8, _ intensity: Double) {
      if new < 17 {
        counts[new, default: 0] += 1
        if weight == 0 || label == new {
          (label, weight) = (new, min(255, weight + 8))
        } else {
          weight -= 8
          if weight < 0 { (label, weight) = (new, -weight) }
        }
      }
      seen = min(16, seen + 1)
      mean += (intensity - mean) / Double(seen)
    }
  }

  @Test func `voxels hold what a vote over all points by hand gives`() throws {
    var generator = SeededGenerator(seed: 41)
    var voted: [VoxelKey: Voted] = [:]
    let frames = (0..<6).map { _ in
      let points = (0..<1500).map { _ in
        let v = generator.floats(4, in: 0...1)
        return SIMD4<Float>(v[0] * 4 + 4, v[1] * 4 - 2, v[2] * 2 - 1, (v[3] * 255).rounded())
      }
      let labels = points.map { _ in [4, 4, 4, 11, 13, 17, 255][Int(generator.next() % 7)] as UInt8
      }
      for (point, label) in zip(points, labels) {
        let key = VoxelKey(
          x: Int32((point.x / 0.5).rounded(.down)), y: Int32((point.y / 0.5).rounded(.down)),
          z: Int32((point.z / 0.5).rounded(.down)))
        voted[key, default: Voted()].take(label, Double(point.w))
      }
      return frame(points, labels: labels)
    }
    let result = try feed(frames) { $0.countsLabels = true }
    #expect(result.voxels.count > 200)
    for voxel in result.voxels {
      let own = try #require(voted[voxel.key])
      #expect(voxel.label == (own.weight == 0 ? 255 : own.label) && Int(voxel.weight) == own.weight)
      // Rounded once a point in 256ths, and once at the end.
      #expect(abs(Double(voxel.intensity ?? 0) - own.mean) < 0.55, "\(voxel.key)")
    }
    for row in result.rows {
      let own = result.voxels.filter { $0.label == row.label }
      #expect(row.voxelCount == own.count)
      #expect(row.weightSum == own.reduce(0) { $0 + Int($1.weight) })
      #expect(row.intensitySum == own.reduce(0) { $0 + Int($1.intensity ?? 0) })
    }
    let checked = result.voxels.filter { $0.label != 255 }
    let agreeing = checked.count { voxel in
      let counts = voted[voxel.key]?.counts ?? [:]
      return counts[voxel.label] == counts.values.max()
    }
    #expect(result.agreement?.voxels == checked.count && result.agreement?.agreeing == agreeing)
    #expect(agreeing < checked.count, "the vote is no count, and the check must tell")
  }

  @Test func `the file holds the voxels in order and the table counts them`() throws {
    let points = [SIMD4<Float>(8, 2, 0, 100), SIMD4(4, 1, 0, 20), SIMD4(4.1, 1, 0, 40)]
    let result = try feed([frame(points, labels: [16, 4, 4])])
    #expect(
      result.voxels == [
        .init(key: VoxelKey(x: 8, y: 2, z: 0), label: 4, weight: 16, intensity: 30),
        .init(key: VoxelKey(x: 16, y: 4, z: 0), label: 16, weight: 8, intensity: 100),
      ])
    let tensors = result.safeTensors.tensors
    #expect(tensors["keys"]?.int32s() == [8, 2, 0, 16, 4, 0] && tensors["keys"]?.shape == [2, 3])
    #expect(tensors["label"]?.uint8s() == [4, 16] && tensors["weight"]?.uint8s() == [16, 8])
    #expect(tensors["intensity"]?.uint8s() == [30, 100])
    #expect(tensors["has_intensity"]?.uint8s() == [1, 1])
    #expect(result.rows.map(\.name) == ["car", "vegetation"])
    #expect(result.table.contains("2 occupied voxels, 2 with a class, after 1 frames, 3 points"))
    #expect(result.json["labelled_voxels"]?.intValue == 2)
    let bare = try feed([frame(points, labels: [], hasIntensity: false)])
    #expect(bare.voxels.allSatisfy { $0.label == 255 && $0.intensity == nil })
    #expect(bare.safeTensors.tensors["has_intensity"]?.uint8s() == [0, 0])
    #expect(bare.sourceText.hasPrefix("no class labels") && bare.intensityText == "no intensities")
  }

  @Test func `points without a class take their cell's`() throws {
    let points = [SIMD4<Float>(8.1, -3.9, 1.1, 0.5), SIMD4(6, 0.1, 0.3, 1), SIMD4(3, 3, 0.3, 1)]
    let folder = try TemporaryFolder()
    func cell(_ x: Int, _ y: Int, _ z: Int) -> Int { (x * 200 + y) * 16 + z }
    func labels(_ tensors: [String: HostTensor]) throws -> [UInt8] {
      try folder.write(
        "network_outputs/OCCUPANCY/\(Self.time).safetensors",
        SafeTensors(tensors: tensors, metadata: [:]).serialized())
      let result = try feed([frame(points, labels: [])], root: folder.path)
      return points.map { p in
        let key = result.window.grid.key(ofWorld: SIMD3<Double>(SIMD3(p.x, p.y, p.z)))
        return result.voxels.first { $0.key == key }?.label ?? 99
      }
    }
    var semantics = [UInt8](repeating: 17, count: 640_000)
    semantics[cell(120, 90, 5)] = 10
    semantics[cell(115, 100, 3)] = 0
    let volume = HostTensor(semantics, shape: [200, 200, 16])
    #expect(try labels(["semantics": volume]) == [10, 0, 255])
    // Recorded classes go first.
    let own = try feed([frame(points, labels: [1, 2, 3])], root: folder.path)
    #expect(Set(own.voxels.map(\.label)) == [1, 2, 3])
    var logits = [Float](repeating: -1, count: 640_000 * 18)
    for index in 0..<640_000 { logits[18 * index + 17] = 0 }
    logits[18 * cell(120, 90, 5) + 9] = 1
    logits[18 * cell(115, 100, 3) + 4] = 2
    logits[18 * cell(115, 100, 3) + 6] = 2
    let values = HostTensor(logits, shape: [200, 200, 16, 18])
    #expect(try labels(["class_logits": values]) == [9, 4, 255])
    // Of whether something is there at all, no class follows.
    let binary = HostTensor([Float](repeating: 1, count: 640_000), shape: [200, 200, 16])
    #expect(try labels(["logits": binary]) == [255, 255, 255])
    #expect(throws: RecordingError.self) {
      try labels(["class_logits": HostTensor(logits, shape: [200, 200, 18, 16])])
    }
    #expect(throws: RecordingError.self) {
      try labels(["semantics": HostTensor(semantics, shape: [16, 200, 200])])
    }
    #expect(ClassVolumes.likeliest([.nan, .nan, 1, .nan], classCount: 2) == [255, 0])
  }

  @Test func `intensities of every scale become bytes`() throws {
    func bytes(_ values: [Float], scale: Float? = nil) throws -> [UInt8?] {
      let points = values.enumerated().map { SIMD4<Float>(3, Float($0) - 3, 0, $1) }
      return try feed([frame(points, labels: [])]) { $0.intensityScale = scale }.voxels.map(
        \.intensity)
    }
    #expect(try bytes([0, 0.5, 1]) == [0, 128, 255])
    #expect(try bytes([0, 1.4, 200]) == [0, 1, 200])
    #expect(try bytes([0, 257, 65_535]) == [0, 1, 255])
    #expect(try bytes([.nan, -4, .infinity, 9], scale: 10) == [0, 0, 255, 90])
  }

  @Test func `the picture shows the topmost voxel's class, up to a height`() throws {
    let points = [SIMD4<Float>(10, 3, 0.2, 9), SIMD4(10, 3, 4.2, 9)]
    let result = try feed([frame(points, labels: [4, 16])])
    func has(_ picture: [UInt8], _ color: (UInt8, UInt8, UInt8)) throws -> Bool {
      let image = try PNGCodec.decode(picture)
      // 8 pixels a metre, forward up, left to the left: a voxel is 4 pixels wide.
      let pixel = { (x: Int, y: Int) in (y * image.widthPixels + x) * 3 }
      var found = false
      for y in 300..<380 {
        for x in 370..<410 {
          let at = pixel(x, y)
          found =
            found
            || (image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]) == color
        }
      }
      return found
    }
    let (car, vegetation) = (
      (255, 158, 0) as (UInt8, UInt8, UInt8), (0, 175, 0) as (UInt8, UInt8, UInt8)
    )
    let all = try result.picture(.class)
    #expect(try has(all, vegetation) && !has(all, car))
    let low = try result.picture(.class, maximumHeightMeters: 2)
    #expect(try has(low, car) && !has(low, vegetation))
    #expect(try !has(result.picture(.intensity), car))
  }
}
