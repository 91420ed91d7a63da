import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct DepthSoftmaxTests {
  private func softmax(_ logits: [Float], _ bins: Int, _ engine: Engine, threads: Int = 1)
    -> [Float]
  {
    let output = AlignedBuffer<Float>(count: logits.count)
    output.fill(.nan)
    logits.withUnsafeBufferPointer {
      DepthSoftmax.softmax(
        $0, bins: bins, pixels: logits.count / bins, into: output.elements, engine: engine,
        pool: WorkerPool(threadCount: threads))
    }
    return output.array
  }

  @Test(arguments: Engine.everyEngine)
  func `logits 0 and ln 3 give one quarter and three quarters`(engine: Engine) {
    let weights = softmax([0, 1.098_612_3], 2, engine)
    #expect(abs(weights[0] - 0.25) < 1e-7)
    #expect(abs(weights[1] - 0.75) < 1e-7)
  }

  @Test(arguments: Engine.simdSets)
  func `SIMD matches the reference at every tail`(engine: Engine) {
    var random = SeededGenerator(seed: 11)
    for pixels in [0, 1, 7, 8, 9, 15, 16, 17, 31, 33] {
      for bins in [1, 2, 59] {
        let logits = random.floats(bins * pixels, in: -30...30)
        let expected = softmax(logits, bins, .reference)
        let found = softmax(logits, bins, engine)
        for (a, b) in zip(expected, found) {
          // Two exps of 2 ulp, a sum of 59 terms, one division.
          #expect(abs(a - b) <= 64 * 0x1p-23 * a + 0x1p-126)
        }
        for threads in [2, 3] { #expect(softmax(logits, bins, engine, threads: threads) == found) }
      }
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `huge logits do not overflow and -infinity weighs nothing`(engine: Engine) {
    let weights = softmax([3e38, -.infinity, -3e38, 3e38], 4, engine)
    #expect(weights == [0.5, 0, 0, 0.5])
  }

  @Test(arguments: Engine.everyEngine)
  func `the split moves context channels last and ignores further channels`(engine: Engine) {
    let (cameras, bins, channels, pixels) = (2, 3, 19, 21)
    let networkChannels = bins + channels + 2
    var random = SeededGenerator(seed: 12)
    let network = random.floats(cameras * networkChannels * pixels)
    let depth = AlignedBuffer<Float>(count: cameras * bins * pixels)
    let context = AlignedBuffer<Float>(count: cameras * channels * pixels)
    context.fill(.nan)
    network.withUnsafeBufferPointer {
      DepthSoftmax.split(
        $0, cameras: cameras, networkChannels: networkChannels, pixels: pixels, bins: bins,
        channels: channels, depth: depth.elements, context: context.elements, engine: engine,
        pool: WorkerPool(threadCount: 2))
    }
    for camera in 0..<cameras {
      for pixel in 0..<pixels {
        for channel in 0..<channels {
          let from = (camera * networkChannels + bins + channel) * pixels + pixel
          #expect(context[(camera * pixels + pixel) * channels + channel] == network[from])
        }
        let sum = (0..<bins).reduce(Float(0)) { $0 + depth[(camera * bins + $1) * pixels + pixel] }
        #expect(abs(sum - 1) < 1e-6)
      }
    }
  }
}
