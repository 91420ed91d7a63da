import Benchmark
import Foundation
import Swiftlet
import SwiftletReplay

/// Every workload of `swiftlet bench` as a benchmark, verified before it is timed.
/// `SWIFTLET_ISA` and `SWIFTLET_THREADS` choose as in the tool.
let benchmarks: @Sendable () -> Void = {
  let environment = ProcessInfo.processInfo.environment
  let threads = environment["SWIFTLET_THREADS"].flatMap(Int.init) ?? 1
  let engine: Engine =
    environment["SWIFTLET_ISA"].flatMap { try? InstructionSet.named($0) }.map(Engine.simd) ?? .best
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .cpuTotal], warmupIterations: 10, maxDuration: .seconds(2),
    maxIterations: 10_000)
  for workload in BenchmarkCatalog.all {
    for precision in workload.precisions {
      Benchmark("\(workload.name) \(precision) \(engine.instructionSetName) \(threads)") { benchmark in
        let prepared = try workload.prepare(engine, WorkerPool(threadCount: threads), precision)
        if let failure = prepared.verificationFailure() { return benchmark.error(failure) }
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { prepared.run() }
        benchmark.stopMeasurement()
      }
    }
  }
}
