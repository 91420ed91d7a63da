import CAllocationCounter
import Swiftlet
import SwiftletTestSupport
import Testing

/// Neighbours, heads, modes and adopted weights.
@Suite(.serialized) struct FusionLayerTests: FusionStageSuite {
  /// Every layer with random weights.
  private func randomWeights(
    _ configuration: PipelineConfiguration, seed: UInt64
  ) throws -> PipelineWeights {
    var generator = SeededGenerator(seed: seed)
    let layout = WeightsLayout.pipeline(configuration, modalities: 5)
    var tensors: [String: HostTensor] = [:]
    for tensor in layout.tensors {
      tensors[tensor.name] = HostTensor(
        generator.floats(tensor.shape.reduce(1, *), in: -0.3...0.3), shape: tensor.shape)
    }
    return try PipelineWeights(SafeTensors(tensors: tensors), configuration: configuration)
  }

  private func everything(_ configuration: inout PipelineConfiguration) {
    configuration.fusion.neighborPointCount = 3
    configuration.heads.occupancyClassCount = 3
    configuration.heads.occupancyHeightCount = 5
    configuration.heads.semanticClassCount = 4
  }

  @Test(arguments: InstructionSet.supported, PipelineConfiguration.FusionMode.allCases)
  func `kernels and references agree with every layer on, for any threads`(
    set: InstructionSet, mode: PipelineConfiguration.FusionMode
  ) throws {
    let drive = TestDrive()
    let change: (inout PipelineConfiguration) -> Void = {
      self.everything(&$0)
      $0.fusion.mode = mode
    }
    let weights = try randomWeights(configuration(change), seed: 3)
    func run(_ engine: Engine, _ threads: Int) throws -> FramePipeline {
      let pipeline = try pipeline(engine, threads: threads, weights: weights, change)
      for index in 0..<3 { try pipeline.process(drive.frame(index)) }
      return pipeline
    }
    let expected = try run(.reference, 1)
    let got = try run(.simd(set), 1)
    let scale = expected.fusedBEV.features.array.map(abs).max() ?? 0
    let worst = largestDifference(
      expected.fusedBEV.features.array, got.fusedBEV.features.array)
    // Six chains of up to 64 terms a frame, three frames of history.
    #expect(worst <= scale * 3_000 * 0x1p-24, "\(worst) of \(scale)")
    #expect(expected.fusedAges.array == got.fusedAges.array)
    let logits = (
      try #require(expected.occupancyLogits), try #require(got.occupancyLogits)
    )
    let logitScale = logits.0.logits.array.map(abs).max() ?? 0
    #expect(
      largestDifference(logits.0.logits.array, logits.1.logits.array)
        <= logitScale * 3_000 * 0x1p-24)
    for threads in [2, 3] {
      let more = try run(.simd(set), threads)
      #expect(more.fusedBEV.features.array == got.fusedBEV.features.array)
      #expect(more.semanticMap?.labels.array == got.semanticMap?.labels.array)
      #expect(more.occupancyLogits?.logits.array == got.occupancyLogits?.logits.array)
    }
  }

  @Test(arguments: [Engine.reference, .best])
  func `neighbours that are not valid add nothing, and invalid cells stay zero`(
    engine: Engine
  ) throws {
    let configuration = configuration { self.everything(&$0) }
    let all = try randomWeights(configuration, seed: 4)
    let weights = try #require(all.neighbors)
    let cells = configuration.grid.cellCounts
    let attention = NeighborAttention(
      weights: weights, shape: configuration.neighborShape, width: cells.x, height: cells.y)
    var generator = SeededGenerator(seed: 5)
    let count = cells.x * cells.y
    let map = AlignedBuffer(generator.floats(count * configuration.channelCount))
    let validity = AlignedBuffer((0..<count).map { UInt8($0 % 5 == 0 ? 0 : 1) })
    let pool = WorkerPool(threadCount: 2)
    func run() -> [Float] {
      let output = AlignedBuffer([Float](repeating: .nan, count: map.count))
      attention.apply(map, validity: validity, into: output, engine: engine, pool: pool)
      return output.array
    }
    let first = run()
    // What an invalid cell holds must not matter, short of NaN: it is projected before it is masked.
    for cell in stride(from: 0, to: count, by: 5) {
      for channel in 0..<configuration.channelCount {
        map[cell * configuration.channelCount + channel] = 1e6
      }
    }
    let second = run()
    for cell in 0..<count {
      let range = cell * configuration.channelCount..<(cell + 1) * configuration.channelCount
      if validity[cell] == 0 { #expect(second[range].allSatisfy { $0 == 0 }) }
      #expect(first[range].elementsEqual(second[range]) )
    }
  }

  @Test func `heads are linear in the fused map and name the largest class`() throws {
    let change: (inout PipelineConfiguration) -> Void = {
      $0.heads.semanticClassCount = 3
      $0.heads.occupancyClassCount = 2
      $0.heads.occupancyHeightCount = 2
    }
    let configuration = configuration(change)
    let channels = configuration.channelCount
    // Class 0: channel 0, class 1: channel 1, class 2: the constant 0.25.
    var semantic = HeadWeights(weight: [Float](repeating: 0, count: 3 * channels), bias: [0, 0, 0.25])
    semantic.weight[0] = 1
    semantic.weight[channels + 1] = 1
    var occupancy = HeadWeights(weight: [Float](repeating: 0, count: 4 * channels), bias: [0, 0, 1, 0])
    occupancy.weight[0] = 1
    let weights = PipelineWeights(
      fusion: .default(channels: channels, modalities: 5), occupancyHead: occupancy,
      semanticHead: semantic)
    let pipeline = try pipeline(weights: weights, change)
    try pipeline.process(TestDrive().frame(0))
    let (map, head) = (pipeline.fusedBEV, try #require(pipeline.semanticMap))
    let voxels = try #require(pipeline.occupancyLogits)
    for cell in 0..<map.columns * map.rows {
      guard map.validity[cell] != 0 else {
        #expect(head.labels[cell] == 255 && voxels.labels[2 * cell] == 255)
        continue
      }
      let logits: [Float] = [
        map.features[cell * channels], map.features[cell * channels + 1], 0.25,
      ]
      #expect((0..<3).map { head.logits[cell * 3 + $0] } == logits)
      #expect(Int(head.labels[cell]) == logits.firstIndex(of: logits.max()!))
      #expect(voxels.labels[2 * cell] == (logits[0] >= 0 ? 0 : 1))
      #expect(voxels.labels[2 * cell + 1] == 0)
    }
  }

  @Test func `a head without weights is a configuration error that names it`() {
    let error = #expect(throws: ConfigurationError.self) {
      try self.pipeline { $0.heads.semanticClassCount = 3 }
    }
    #expect(error?.field == "heads.semantic_classes")
  }

  @Test(arguments: [Engine.reference, .best])
  func `late fusion adds the experts' logits where they are valid`(engine: Engine) throws {
    let change: (inout PipelineConfiguration) -> Void = {
      $0.fusion.mode = .late
      $0.fusion.history = false
      $0.heads.semanticClassCount = 2
    }
    let channels = configuration(change).channelCount
    func head(_ channel: Int, _ bias: Float) -> HeadWeights {
      var head = HeadWeights(weight: [Float](repeating: 0, count: 2 * channels), bias: [bias, 0])
      head.weight[channel] = 1
      return head
    }
    let weights = PipelineWeights(
      fusion: .default(channels: channels, modalities: 5), semanticHead: head(0, 0),
      experts: ["camera.semantic": head(1, 8), "lidar.semantic": head(channels - 16, 16)])
    let pipeline = try pipeline(engine, weights: weights, change)
    let drive = TestDrive()
    try withExtendedLifetime(drive) { try pipeline.process(drive.frame(0)) }
    let head = try #require(pipeline.semanticMap)
    let (camera, lidar) = (try #require(pipeline.cameraBEV), pipeline.lidarBEV)
    for cell in 0..<camera.validity.count {
      var expected: Float = 0
      if camera.validity[cell] != 0 { expected += camera.features[cell * channels + 1] + 8 }
      if lidar.validity[cell] != 0 { expected += lidar.features[cell * channels + channels - 16] + 16 }
      #expect(abs(head.logits[2 * cell] - expected) <= 1e-5 * max(1, abs(expected)))
    }
  }

  @Test(arguments: [Engine.reference, .best])
  func `early fusion paints each point with the feature cell it falls on`(engine: Engine) throws {
    // One point a metre ahead of camera 0's axis: the pixel in the middle, feature cell (2, 3).
    let drive = TestDrive(cameraCount: 1, pointCount: 3)
    let pipeline = try pipeline(engine) { $0.fusion.mode = .early }
    let channels = pipeline.configuration.channelCount
    for (index, point) in [SIMD3<Float>(7, 0.02, -0.3), SIMD3(7, 0.04, -0.3), SIMD3(-7, 0, 0)]
      .enumerated()
    {
      for axis in 0..<3 { drive.points[4 * index + axis] = point[axis] }
    }
    try pipeline.process(drive.frame(0))
    let map = pipeline.lidarBEV
    let painted = channels - LidarBEV.writtenChannels
    var cells: [Int] = []
    for cell in 0..<map.columns * map.rows where map.validity[cell] != 0 { cells.append(cell) }
    // Two points share a cell ahead, one lies behind the camera.
    #expect(cells.count == 2)
    let features = (0..<painted).map { drive.features[0][(2 * TestDrive.columns + 3) * channels + $0] }
    let ahead = try #require(cells.last { map.features[$0 * channels] != 0 })
    #expect((0..<painted).map { map.features[ahead * channels + $0] } == features)
    let behind = try #require(cells.first { $0 != ahead })
    #expect((0..<painted).allSatisfy { map.features[behind * channels + $0] == 0 })
    #expect(pipeline.modalityCells[1]?.validity[ahead] == 1)
  }

  // MARK: swapping weights

  @Test(arguments: [Engine.reference, .best])
  func `adopted weights give what a pipeline made with them gives`(engine: Engine) throws {
    let change: (inout PipelineConfiguration) -> Void = { self.everything(&$0) }
    let (first, second) = (
      try randomWeights(configuration(change), seed: 6),
      try randomWeights(configuration(change), seed: 7)
    )
    let drive = TestDrive()
    let pipeline = try pipeline(engine, weights: first, change)
    let expected = try self.pipeline(engine, weights: second, change)
    try pipeline.process(drive.frame(0))
    let before = pipeline.fusedBEV.features.array
    let old = pipeline.adopt(try pipeline.prepare(second))
    for target in [pipeline, expected] {
      try target.process(drive.frame(1, resetsHistory: true))
    }
    #expect(pipeline.fusedBEV.features.array == expected.fusedBEV.features.array)
    #expect(
      pipeline.occupancyLogits?.logits.array == expected.occupancyLogits?.logits.array)
    pipeline.adopt(old)
    try pipeline.process(drive.frame(0, resetsHistory: true))
    #expect(pipeline.fusedBEV.features.array == before)
  }

  @Test(.enabled(if: countsAllocations), arguments: PipelineConfiguration.FusionMode.allCases)
  func `nothing allocates with every layer on, nor when weights are adopted`(
    mode: PipelineConfiguration.FusionMode
  ) throws {
    let change: (inout PipelineConfiguration) -> Void = {
      self.everything(&$0)
      $0.fusion.mode = mode
    }
    let drive = TestDrive()
    let configuration = configuration(change)
    let pipeline = try pipeline(
      threads: 2, weights: randomWeights(configuration, seed: 8), change)
    let next = try pipeline.prepare(randomWeights(configuration, seed: 9))
    let radar = MadeMap(configuration, value: 2)
    var frames = (0..<20).map { drive.frame($0) }
    for index in frames.indices {
      frames[index].bevMaps = [radar.input(.radar, frames[index].worldFromEgo)]
    }
    for frame in frames.prefix(3) { try pipeline.process(frame) }
    var kept: PreparedWeights?
    allocation_counter_start()
    for (index, frame) in frames.enumerated() {
      if index == 10 { kept = pipeline.adopt(next) }
      try pipeline.process(frame)
    }
    #expect(allocation_counter_stop() == 0)
    #expect(kept != nil)
  }
}
