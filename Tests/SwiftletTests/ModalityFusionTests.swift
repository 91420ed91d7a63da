import Swiftlet
import SwiftletTestSupport
import Testing

/// Three maps with random features, a validity pattern per cell that runs through all eight
/// combinations, and NaN in every invalid token.
private struct FusionScene {
  var cells: Int
  var channels: Int
  var features: [[Float]] = []
  var validity: [[UInt8]] = []

  init(cells: Int, channels: Int, seed: UInt64, modalities: Int = 3) {
    var generator = SeededGenerator(seed: seed)
    (self.cells, self.channels) = (cells, channels)
    for modality in 0..<modalities {
      var values = generator.floats(cells * channels, in: -3...3)
      let valid = (0..<cells).map { UInt8(($0 >> modality) & 1) }
      for cell in 0..<cells where valid[cell] == 0 {
        for channel in 0..<channels { values[cell * channels + channel] = .nan }
      }
      features.append(values)
      validity.append(valid)
    }
  }

  func fuse(
    _ weights: FusionWeights, _ engine: Engine, threads: Int = 1, lost: Set<Int> = []
  ) -> (features: [Float], validity: [UInt8]) {
    let fusion = ModalityFusion(weights: weights, cellCount: cells, engine: engine)
    let output = AlignedBuffer([Float](repeating: .nan, count: cells * channels))
    let outputValidity = AlignedBuffer([UInt8](repeating: 7, count: cells))
    let buffers = features.indices.map { (AlignedBuffer(features[$0]), AlignedBuffer(validity[$0])) }
    let maps = buffers.enumerated().map { index, pair in
      lost.contains(index)
        ? nil : BEVMap(features: pair.0, validity: pair.1, channels: channels)
    }
    withExtendedLifetime(buffers) {
      fusion.fuse(
        maps[0], maps.count > 1 ? maps[1] : nil, maps.count > 2 ? maps[2] : nil,
        maps.count > 3 ? maps[3] : nil, maps.count > 4 ? maps[4] : nil, into: output,
        validity: outputValidity, pool: WorkerPool(threadCount: threads))
    }
    return (output.array, outputValidity.array)
  }

  /// The mean of the valid tokens: the sum in the order of the modalities, divided once.
  func mean(lost: Set<Int>) -> [Float] {
    (0..<cells * channels).map { index in
      let values = features.indices
        .filter { !lost.contains($0) && validity[$0][index / channels] != 0 }
        .map { features[$0][index] }
      return values.isEmpty ? 0 : values.reduce(0, +) / Float(values.count)
    }
  }
}

private let engines = [Engine.reference] + InstructionSet.supported.map(Engine.simd)

private func randomWeights(
  channels: Int, heads: Int, modalities: Int = 3, seed: UInt64
) throws -> FusionWeights {
  var generator = SeededGenerator(seed: seed)
  var tensors = FusionWeights.default(channels: channels, heads: heads, modalities: modalities)
    .tensors
  for name in tensors.keys.sorted() {
    let shape = tensors[name]!.shape
    tensors[name] = HostTensor(
      generator.floats(shape.reduce(1, *), in: -0.4...0.4), shape: shape)
  }
  return try FusionWeights(
    SafeTensors(tensors: tensors), channels: channels, heads: heads, modalities: modalities)
}

@Suite struct ModalityFusionTests {
  @Test func `default weights are the mean of the valid modalities, bit for bit, for every engine`() {
    for channels in [4, 20, 64] {
      let scene = FusionScene(cells: 67, channels: channels, seed: 1)
      for engine in engines {
        let fused = scene.fuse(.default(channels: channels), engine)
        #expect(fused.features == scene.mean(lost: []), "\(engine), \(channels) channels")
        #expect(fused.validity == (0..<67).map { $0 & 7 == 0 ? 0 : 1 })
      }
    }
  }

  @Test func `a lost modality leaves the mean of the others, each lost in turn and in pairs`() {
    let scene = FusionScene(cells: 67, channels: 64, seed: 2)
    for lost in [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]] as [Set<Int>] {
      for engine in engines {
        let fused = scene.fuse(.default(channels: 64), engine, lost: lost)
        #expect(fused.features == scene.mean(lost: lost), "\(engine) without \(lost)")
      }
    }
  }

  @Test func `a masked modality equals an absent one, bit for bit`() throws {
    let weights = try randomWeights(channels: 64, heads: 4, seed: 3)
    var scene = FusionScene(cells: 40, channels: 64, seed: 4)
    scene.validity[1] = [UInt8](repeating: 0, count: 40)
    for engine in engines {
      let masked = scene.fuse(weights, engine)
      let absent = scene.fuse(weights, engine, lost: [1])
      #expect(masked.features.map(\.bitPattern) == absent.features.map(\.bitPattern))
      #expect(masked.validity == absent.validity)
    }
  }

  @Test func `cells without any modality are exactly zero whatever the biases`() throws {
    let weights = try randomWeights(channels: 16, heads: 2, seed: 5)
    let scene = FusionScene(cells: 32, channels: 16, seed: 6)
    for engine in engines {
      let fused = scene.fuse(weights, engine)
      for cell in stride(from: 0, to: 32, by: 8) {
        #expect(fused.features[cell * 16..<(cell + 1) * 16].allSatisfy { $0 == 0 })
        #expect(fused.validity[cell] == 0)
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `random weights agree with the reference for odd channels, heads and modality counts`(
    set: InstructionSet
  ) throws {
    for (channels, heads, modalities) in [
      (64, 4, 3), (20, 2, 3), (30, 3, 2), (8, 8, 3), (1, 1, 1), (80, 8, 5), (48, 5 - 2, 4),
    ] {
      let weights = try randomWeights(
        channels: channels, heads: heads, modalities: modalities, seed: 7)
      let scene = FusionScene(cells: 71, channels: channels, seed: 8, modalities: modalities)
      let expected = scene.fuse(weights, .reference)
      let got = scene.fuse(weights, .simd(set))
      // Four products of `channels` terms below 1.2 · growth; 2^-24 a rounding, with room for the
      // amplification of one softmax. Measured errors are about 2 % of it.
      let scale = expected.features.map(abs).max() ?? 1
      #expect(
        largestDifference(expected.features, got.features)
          <= scale * Float(8 * channels + 64) * 0x1p-24, "\(channels), \(heads), \(modalities)")
      #expect(expected.validity == got.validity)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `thread count changes no bit`(set: InstructionSet) throws {
    let weights = try randomWeights(channels: 64, heads: 4, seed: 9)
    let scene = FusionScene(cells: 301, channels: 64, seed: 10)
    let one = scene.fuse(weights, .simd(set))
    for threads in [2, 3] {
      let more = scene.fuse(weights, .simd(set), threads: threads)
      #expect(one.features.map(\.bitPattern) == more.features.map(\.bitPattern))
      #expect(one.validity == more.validity)
    }
  }

  @Test func `logits of thousands pick the largest without overflow`() throws {
    var weights = FusionWeights.default(channels: 16, heads: 1, modalities: 2)
    weights.queryEmbedding = [Float](repeating: 100, count: 16)
    for channel in 0..<16 {
      weights.inProjectionWeight[channel * 16 + channel] = 1
      weights.inProjectionWeight[256 + channel * 16 + channel] = 1
    }
    var scene = FusionScene(cells: 4, channels: 16, seed: 1, modalities: 2)
    scene.features = [
      [Float](repeating: 30, count: 64), [Float](repeating: -20, count: 64),
    ]
    for engine in engines {
      let fused = scene.fuse(weights, engine)
      #expect(fused.features[48..<64].allSatisfy { $0 == 30 })
    }
  }
}
