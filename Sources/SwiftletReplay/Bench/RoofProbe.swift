import CThreadShims
import Swiftlet

/// The roof of one instruction set and thread count, measured in the run it is compared with:
/// multiply-adds a second from registers, and bytes a second read again and again from a buffer as
/// large as the workload's traffic (so that a workload that fits a cache is held against that
/// cache).
public final class RoofProbe {
  private let set: InstructionSet
  private let pool: WorkerPool
  private var bandwidthByClass: [Int: Double] = [:]
  /// Floating-point operations a second; a multiply-add is two.
  public private(set) lazy var flopPerSecond = measureFlop()
  /// The same for a precision's own dot product: bf16 pairs, bytes; fp32 multiply-adds otherwise.
  private var flopByPrecision: [String: Double] = [:]

  /// - Parameter engine: the reference is held against the portable build.
  public init(engine: Engine, pool: WorkerPool) {
    switch engine {
    case .reference: set = .portable
    case .simd(let chosen): set = chosen
    }
    self.pool = pool
  }

  /// The larger of the shares of both roofs: 1 means nothing faster is possible here.
  public func share(
    flop: Double, bytes: Double, seconds: Double, precision: String = "fp32"
  ) -> Double {
    guard seconds > 0 else { return 0 }
    let flopShare = flop > 0 ? flop / seconds / flopPerSecond(precision: precision) : 0
    let byteShare = bytes > 0 ? bytes / seconds / bytesPerSecond(footprintBytes: bytes) : 0
    return max(flopShare, byteShare)
  }

  /// Bytes a second read from a buffer of about `footprintBytes` in all (64 KiB to 256 MiB, rounded
  /// up to a power of two).
  public func bytesPerSecond(footprintBytes: Double) -> Double {
    var byteCount = 64 << 10
    while Double(byteCount) < footprintBytes, byteCount < 256 << 20 { byteCount *= 2 }
    if let known = bandwidthByClass[byteCount] { return known }
    let measured = measureBandwidth(byteCount: byteCount)
    bandwidthByClass[byteCount] = measured
    return measured
  }

  /// Operations a second of the dot product that a dense layer of `precision` uses here.
  public func flopPerSecond(precision: String) -> Double {
    guard let dense = DensePrecision(rawValue: precision), dense == .bf16 || dense == .int8 else {
      return flopPerSecond
    }
    if let known = flopByPrecision[precision] { return known }
    let sinks = RoofKernels.makeSinks(parts: pool.threadCount)
    let iterations = 40_000
    let seconds = fastest(repetitions: 30) {
      RoofKernels.dot(dense, iterations: iterations, sinks: sinks, set: set, pool: pool)
    }
    let perStep = RoofKernels.dotOperations(dense, set: set)
    let measured = Double(iterations * perStep * pool.threadCount) / seconds
    flopByPrecision[precision] = measured
    return measured
  }

  private func measureFlop() -> Double {
    let sinks = RoofKernels.makeSinks(parts: pool.threadCount)
    let iterations = 40_000
    return [2, 5, 8].map { chains in
      let seconds = fastest(repetitions: 30) {
        RoofKernels.multiplyAdd(
          chains: chains, iterations: iterations, sinks: sinks, set: set, pool: pool)
      }
      return Double(iterations * chains * 32 * pool.threadCount) / seconds
    }.max() ?? 0
  }

  private func measureBandwidth(byteCount: Int) -> Double {
    let sinks = RoofKernels.makeSinks(parts: pool.threadCount)
    let perPart = max(64, byteCount / 4 / pool.threadCount / 64 * 64)
    let source = AlignedBuffer<Float>(count: perPart * pool.threadCount)
    let passes = max(1, (4 << 20) / byteCount)
    let seconds = fastest(repetitions: 20) {
      RoofKernels.read(source, passes: passes, sinks: sinks, set: set, pool: pool)
    }
    return Double(perPart * pool.threadCount * 4 * passes) / seconds
  }

  /// A roof is what was possible at best, hence the minimum.
  private func fastest(repetitions: Int, _ body: () -> Void) -> Double {
    var best = Int64.max
    for _ in 0..<repetitions {
      let start = swl_monotonic_nanoseconds()
      body()
      best = min(best, swl_monotonic_nanoseconds() - start)
    }
    return Double(max(best, 1)) / 1e9
  }
}
