import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsBF16
import SwiftletKernelsPortable

/// Work that does nothing but multiply and add, or read: what a roof is measured with. The caller
/// has the clock.
public enum RoofKernels {
  /// 64 floats a part: a scale below 1 and an offset of 1, so that nothing overflows or becomes
  /// subnormal, then room for the result.
  public static func makeSinks(parts: Int) -> AlignedBuffer<Float> {
    let sinks = AlignedBuffer<Float>(count: parts * 64)
    for index in 0..<parts * 64 where index % 64 < 32 { sinks[index] = index % 64 < 16 ? 0.5 : 1 }
    return sinks
  }

  /// `iterations` × `chains` × 16 multiply-adds on every thread of `pool`. Allocates nothing.
  ///
  /// - Parameters:
  ///   - chains: 2, 5 or 8 independent accumulators of 16 lanes.
  ///   - iterations: passes over the chains.
  ///   - sinks: takes the results, so that nothing is left out.
  ///   - set: the instruction set that is probed.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public static func multiplyAdd(
    chains: Int, iterations: Int, sinks: AlignedBuffer<Float>, set: InstructionSet, pool: WorkerPool
  ) {
    precondition(
      sinks.count >= pool.threadCount * 64, "\(sinks.count) floats for \(pool.threadCount) threads")
    unsafe pool.run(
      MultiplyAddJob(set: set, chains: chains, iterations: iterations, sinks: sinks.pointer))
  }

  /// Operations of one iteration of `dot`: 8 chains of 16 lanes of 2 (bf16) or 4 (int8) products.
  public static func dotOperations(_ precision: DensePrecision, set: InstructionSet) -> Int {
    precision == .int8 ? 8 * 128 : usesPairs(set) ? 8 * 64 : 8 * 32
  }

  /// The dot product of a dense layer of precision bf16 or int8, `iterations` × 8 independent times
  /// on every thread of `pool`. Where the CPU has no bf16 instruction it is a multiply-add.
  public static func dot(
    _ precision: DensePrecision, iterations: Int, sinks: AlignedBuffer<Float>,
    set: InstructionSet, pool: WorkerPool
  ) {
    precondition(
      sinks.count >= pool.threadCount * 64, "\(sinks.count) floats for \(pool.threadCount) threads")
    guard precision == .int8 || usesPairs(set) else {
      return multiplyAdd(chains: 8, iterations: iterations, sinks: sinks, set: set, pool: pool)
    }
    unsafe pool.run(
      DotJob(
        set: set, isInteger: precision == .int8, iterations: iterations, sinks: sinks.pointer))
  }

  static func usesPairs(_ set: InstructionSet) -> Bool {
    set == .avx512 && DenseInstructions.hasBFloat
  }

  /// Reads `source` `passes` times, an equal share on every thread of `pool`. Allocates nothing.
  ///
  /// - Precondition: `source.count` is a multiple of 64 × threads.
  public static func read(
    _ source: AlignedBuffer<Float>, passes: Int, sinks: AlignedBuffer<Float>, set: InstructionSet,
    pool: WorkerPool
  ) {
    precondition(
      source.count % (64 * pool.threadCount) == 0,
      "\(source.count) floats do not split into 64s over \(pool.threadCount) threads")
    precondition(
      sinks.count >= pool.threadCount * 64, "\(sinks.count) floats for \(pool.threadCount) threads")
    unsafe pool.run(
      ReadJob(
        set: set, source: source.pointer, perPart: source.count / pool.threadCount, passes: passes,
        sinks: sinks.pointer))
  }
}

@unsafe
private struct MultiplyAddJob: PartitionedJob {
  var set: InstructionSet
  var chains: Int
  var iterations: Int
  var sinks: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let sink = unsafe sinks.advanced(by: part * 64)
    switch unsafe (set, chains) {
    case (.portable, 2): unsafe SwiftletKernelsPortable.probeMultiplyAdd2(iterations, sink)
    case (.portable, 5): unsafe SwiftletKernelsPortable.probeMultiplyAdd5(iterations, sink)
    case (.portable, _): unsafe SwiftletKernelsPortable.probeMultiplyAdd8(iterations, sink)
    case (.baseline, 2): unsafe SwiftletKernels.probeMultiplyAdd2(iterations, sink)
    case (.baseline, 5): unsafe SwiftletKernels.probeMultiplyAdd5(iterations, sink)
    case (.baseline, _): unsafe SwiftletKernels.probeMultiplyAdd8(iterations, sink)
    case (.avx2, 2): unsafe SwiftletKernelsAVX2.probeMultiplyAdd2(iterations, sink)
    case (.avx2, 5): unsafe SwiftletKernelsAVX2.probeMultiplyAdd5(iterations, sink)
    case (.avx2, _): unsafe SwiftletKernelsAVX2.probeMultiplyAdd8(iterations, sink)
    case (.avx512, 2): unsafe SwiftletKernelsAVX512.probeMultiplyAdd2(iterations, sink)
    case (.avx512, 5): unsafe SwiftletKernelsAVX512.probeMultiplyAdd5(iterations, sink)
    case (.avx512, _): unsafe SwiftletKernelsAVX512.probeMultiplyAdd8(iterations, sink)
    }
  }
}

@unsafe
private struct DotJob: PartitionedJob {
  var set: InstructionSet
  var isInteger: Bool
  var iterations: Int
  var sinks: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let sink = unsafe sinks + part * 64
    guard unsafe isInteger else {
      return unsafe SwiftletKernelsBF16.probePairDots(iterations, sink)
    }
    switch unsafe set {
    case .portable: unsafe SwiftletKernelsPortable.probeByteDots(iterations, sink)
    case .baseline: unsafe SwiftletKernels.probeByteDots(iterations, sink)
    case .avx2: unsafe SwiftletKernelsAVX2.probeByteDots(iterations, sink)
    case .avx512: unsafe SwiftletKernelsAVX512.probeByteDots(iterations, sink)
    }
  }
}

@unsafe
private struct ReadJob: PartitionedJob {
  var set: InstructionSet
  var source: UnsafePointer<Float>
  var perPart: Int
  var passes: Int
  var sinks: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let mine = unsafe source.advanced(by: part * perPart)
    let sink = unsafe sinks.advanced(by: part * 64 + 32)
    for _ in unsafe 0..<passes {
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.probeRead(mine, perPart, sink)
      case .baseline: unsafe SwiftletKernels.probeRead(mine, perPart, sink)
      case .avx2: unsafe SwiftletKernelsAVX2.probeRead(mine, perPart, sink)
      case .avx512: unsafe SwiftletKernelsAVX512.probeRead(mine, perPart, sink)
      }
    }
  }
}
