import Swiftlet
import SwiftletTestSupport
import Testing

private struct LidarScene {
  var configuration: LidarBEVConfiguration
  var points: [Float]
  var columns: [[Float]]

  /// Points in and around the map, some on its borders, some not finite; four floats a record.
  init(points count: Int, seed: UInt64, channels: Int = 64, offset: Int = 32) {
    var generator = SeededGenerator(seed: seed)
    configuration = LidarBEVConfiguration(
      widthCells: 13, heightCells: 9, lowerXMeters: -3, lowerYMeters: -2.25, cellSizeMeters: 0.5,
      channels: channels, channelOffset: offset)
    points = []
    for index in 0..<count {
      let position = generator.floats(3, in: -4...4)
      var record = position + generator.floats(1, in: 0...255)
      if index % 11 == 3 { record[0] = -3 }
      if index % 13 == 4 { record[1] = 2.25 }
      if index % 17 == 5 { record[index % 3] = [.nan, .infinity, -.infinity][index % 3] }
      points += record
    }
    let cells = 13 * 9
    columns = [
      (0..<cells).map { Float($0 % 3) }, (0..<cells).map { Float($0 % 5) },
      generator.floats(cells), generator.floats(cells, in: 1...3),
    ]
  }

  func map(
    _ engine: Engine, threads: Int = 1, withColumns: Bool = true
  ) throws -> (features: [Float], validity: [UInt8]) {
    let count = points.count / 4
    let bev = try LidarBEV(configuration: configuration, maximumPoints: count, engine: engine)
    let output = AlignedBuffer(
      [Float](repeating: .nan, count: bev.cellCount * configuration.channels))
    let validity = AlignedBuffer([UInt8](repeating: 9, count: bev.cellCount))
    let buffers = columns.map { AlignedBuffer($0) }
    let view = OccupancyColumns(
      occupied: buffers[0], free: buffers[1], lowestMeters: buffers[2], highestMeters: buffers[3])
    points.withUnsafeBytes { bytes in
      var cloud = PointCloudView(base: bytes.baseAddress, count: count, byteStride: 16)
      cloud.intensityByteOffset = 12
      withExtendedLifetime(buffers) {
        bev.update(
          points: cloud, columns: withColumns ? view : nil, into: output, validity: validity,
          pool: WorkerPool(threadCount: threads))
      }
    }
    return (output.array, validity.array)
  }
}

@Suite struct LidarBEVTests {
  @Test func `one point, one occupied column and nothing else, by hand`() throws {
    var scene = LidarScene(points: 0, seed: 1, channels: 20, offset: 4)
    scene.points = [0.3, 0.1, 1.2, 7]
    scene.columns = scene.columns.map { $0.map { _ in 0 } }
    scene.columns[0][5] = 2
    scene.columns[2][5] = 0.4
    scene.columns[3][5] = 1.4
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let (features, validity) = try scene.map(engine)
      // (0.3 + 3) / 0.5 = 6.6, (0.1 + 2.25) / 0.5 = 4.7; z 1.2 lies in bin (1.2 + 0.5) / 0.5 = 3.4.
      let cell = 4 * 13 + 6
      #expect(validity.indices.filter { validity[$0] != 0 } == [5, cell])
      let ln2: Float = 0.693_147_2
      var expected = [Float](repeating: 0, count: 20)
      expected.replaceSubrange(4..<9, with: [ln2, 1.2, 1.2, 1.2, 7])
      expected[4 + 5 + 3] = ln2
      #expect(Array(features[cell * 20..<(cell + 1) * 20]) == expected)
      #expect(features[5 * 20 + 4 + 13] == Float(1.098_612_3))
      #expect(features[5 * 20 + 4 + 15] == 1)
      #expect(features.filter { $0 != 0 }.count == 8)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `SIMD equals the reference bit for bit at every tail of points`(set: InstructionSet) throws {
    for count in [0, 1, 7, 8, 9, 15, 16, 17, 31, 500] {
      let scene = LidarScene(points: count, seed: UInt64(count))
      for withColumns in [true, false] {
        let expected = try scene.map(.reference, withColumns: withColumns)
        let got = try scene.map(.simd(set), withColumns: withColumns)
        #expect(expected.features == got.features, "\(count) points")
        #expect(expected.validity == got.validity)
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `thread count changes no bit`(set: InstructionSet) throws {
    let scene = LidarScene(points: 997, seed: 3)
    let one = try scene.map(.simd(set))
    for threads in [2, 3] {
      let more = try scene.map(.simd(set), threads: threads)
      #expect(one.features.map(\.bitPattern) == more.features.map(\.bitPattern))
      #expect(one.validity == more.validity)
    }
  }

  @Test func `a map that cannot hold the channels is an error`() {
    var configuration = LidarScene(points: 0, seed: 1).configuration
    configuration.channelOffset = 49
    #expect(throws: ConfigurationError.self) {
      try LidarBEV(configuration: configuration, maximumPoints: 1, engine: .reference)
    }
    configuration.channelOffset = 0
    configuration.cellSizeMeters = .nan
    #expect(throws: ConfigurationError.self) {
      try LidarBEV(configuration: configuration, maximumPoints: 1, engine: .reference)
    }
  }
}
