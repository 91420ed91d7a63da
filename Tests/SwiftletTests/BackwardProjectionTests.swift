import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct BackwardProjectionTests {
  /// Small maps go through the caches, large ones past them.
  @Test(arguments: InstructionSet.supported, [(8, 6, 20, 3), (128, 64, 32, 4)])
  func `the refined map is added to every height, bit for bit, for any threads`(
    set: InstructionSet, size: (width: Int, height: Int, channels: Int, heights: Int)
  ) {
    let shape = BackwardProjectionShape(
      channels: size.channels, heads: 2, width: size.width, height: size.height, anchors: 2,
      cameras: 1, featureWidth: 4, featureHeight: 3, crossPoints: 2, selfPoints: 2, depthBins: 5,
      depthStartMeters: 2, depthStepMeters: 1, voxelHeights: size.heights)
    var generator = SeededGenerator(seed: 8)
    let c = size.channels
    func deformable(_ rows: Int) -> DeformableWeights {
      DeformableWeights(
        valueWeight: generator.floats(c * c), valueBias: generator.floats(c),
        offsetWeight: generator.floats(2 * rows * c), offsetBias: generator.floats(2 * rows),
        attentionWeight: generator.floats(rows * c), attentionBias: generator.floats(rows),
        outputWeight: generator.floats(c * c), outputBias: generator.floats(c))
    }
    let weights = BEVFormerLayerWeights(
      temporal: deformable(4), spatial: deformable(4),
      norms: (0..<3).map { _ in (generator.floats(c), generator.floats(c)) },
      feedForward: (
        generator.floats(24 * c), generator.floats(24), generator.floats(24 * c),
        generator.floats(c)
      ))
    let references = AnchorReferences(
      maps: 1, queryCount: shape.queryCount, anchors: 2, areWeighted: true)
    let cells = shape.queryCount * c
    let voxels = AlignedBuffer(generator.floats(size.heights * cells))
    let (embedding, position) = (
      AlignedBuffer(generator.floats(cells)), AlignedBuffer(generator.floats(cells))
    )
    let features = AlignedBuffer(generator.floats(12 * c))
    let depth = AlignedBuffer(generator.floats(60))
    var maps: [[Float]] = []
    for threads in [1, 3] {
      let projection = BackwardProjection(
        weights: weights, shape: shape, engine: .simd(set), maximumThreads: 3)
      let map = AlignedBuffer([Float](repeating: .nan, count: cells))
      let output = AlignedBuffer([Float](repeating: .nan, count: size.heights * cells))
      projection.apply(
        voxels: voxels, embedding: embedding, position: position, features: features,
        depth: depth, references: references, into: map, voxels: output,
        pool: WorkerPool(threadCount: threads))
      var wrong = 0
      for index in 0..<output.count where output[index] != voxels[index] + map[index % cells] {
        wrong += 1
      }
      #expect(wrong == 0 && map[0].isFinite)
      maps.append(map.array)
    }
    #expect(maps[0] == maps[1])
  }
}
