import Swiftlet
import SwiftletReplay
import Testing

@Suite struct RoofProbeTests {
  @Test(arguments: InstructionSet.supported, [2, 5, 8])
  func `every chain of multiply-adds converges to offset over one minus scale`(
    set: InstructionSet, chains: Int
  ) {
    let pool = WorkerPool(threadCount: 2)
    let sinks = RoofKernels.makeSinks(parts: 2)
    RoofKernels.multiplyAdd(chains: chains, iterations: 100, sinks: sinks, set: set, pool: pool)
    // x = x / 2 + 1 has the fixed point 2; the chains are added up.
    for part in 0..<2 {
      for lane in 0..<16 { #expect(sinks[part * 64 + 32 + lane] == Float(2 * chains)) }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `reading adds up every float once`(set: InstructionSet) {
    let pool = WorkerPool(threadCount: 2)
    let sinks = RoofKernels.makeSinks(parts: 2)
    let source = AlignedBuffer((0..<1024).map { Float($0) })
    RoofKernels.read(source, passes: 1, sinks: sinks, set: set, pool: pool)
    var sums: [Float] = [0, 0]
    for part in 0..<2 {
      for lane in 0..<16 { sums[part] += sinks[part * 64 + 32 + lane] }
    }
    // 0 + … + 511 and 512 + … + 1023.
    #expect(sums == [130_816, 392_960])
  }

  @Test func `a share is the larger of the two`() {
    let roof = RoofProbe(engine: .simd(.portable), pool: WorkerPool(threadCount: 1))
    let flop = roof.flopPerSecond
    let bytes = roof.bytesPerSecond(footprintBytes: 1e5)
    #expect(flop > 0 && bytes > 0)
    #expect(roof.share(flop: flop, bytes: 0, seconds: 2) == 0.5)
    #expect(abs(roof.share(flop: 1, bytes: 1e5, seconds: 1e5 / bytes) - 1) < 1e-12)
  }
}
