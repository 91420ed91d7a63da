import Foundation
import Swiftlet
import SwiftletReplay
import Testing

private final class FakeWork: PreparedWorkload {
  let floatingPointOperations = 1e6
  let bytesMoved = 4e3
  let clock: FakeClock
  let failure: String?
  var runs = 0
  init(clock: FakeClock, failure: String?) {
    self.clock = clock
    self.failure = failure
  }
  func run() {
    runs += 1
    clock.nowNanoseconds += 10_000_000
  }
  func verificationFailure() -> String? { failure }
}

@Suite struct BenchmarkRunnerTests {
  let clock = FakeClock()

  private func workload(_ name: String, _ category: String, failure: String? = nil)
    -> BenchmarkWorkload
  {
    nonisolated(unsafe) let clock = clock
    return BenchmarkWorkload(name: name, category: category) { _, _, _ in
      FakeWork(clock: clock, failure: failure)
    }
  }

  @Test func `a filter is a category or a part of a name`() {
    let all = [
      workload("bevdet-r50-pool", "projection"), workload("msda-tiny", "attention"),
      workload("pool-frame", "frame"),
    ]
    func names(_ filter: String?) -> [String] {
      BenchmarkRunner.select(all, filter: filter).map(\.name)
    }
    #expect(names(nil).count == 3)
    #expect(names("attention") == ["msda-tiny"])
    #expect(names("pool") == ["bevdet-r50-pool", "pool-frame"])
    #expect(names("nothing").isEmpty)
  }

  @Test func `a verified workload is sampled for the asked time`() throws {
    let runner = BenchmarkRunner(
      engine: .simd(.portable), pool: WorkerPool(threadCount: 1), clock: clock)
    let measurement = try runner.measure(workload("a", "frame"), precision: "fp32")
    // 2 s at 10 ms a run.
    #expect(measurement.samples == Array(repeating: 10_000_000, count: 200))
    #expect(measurement.isVerified)
    #expect((measurement.roofShare ?? 0) > 0)
  }

  @Test func `a wrong result is never timed`() throws {
    let runner = BenchmarkRunner(
      engine: .simd(.portable), pool: WorkerPool(threadCount: 1), clock: clock)
    let wrong = try runner.measure(
      workload("a", "frame", failure: "cell 3: 1 is not 2"), precision: "fp32")
    #expect(wrong.samples.isEmpty)
    #expect(wrong.roofShare == nil)
    let table = BenchmarkTable(isa: "portable", cpu: "any", measurements: [wrong])
    #expect(table.text.contains("WRONG: a fp32: cell 3: 1 is not 2"))
  }

  @Test func `verifying alone times nothing and says so`() throws {
    let runner = BenchmarkRunner(
      engine: .simd(.portable), pool: WorkerPool(threadCount: 1), clock: clock)
    let before = clock.nowNanoseconds
    let measurement = try runner.verify(workload("a", "frame"), precision: "fp32")
    #expect(measurement.isVerified && measurement.samples.isEmpty)
    #expect(clock.nowNanoseconds == before)
    let table = BenchmarkTable(isa: "portable", cpu: "any", measurements: [measurement])
    #expect(table.text.hasSuffix("verified"))
  }

  @Test func `json has exactly the promised fields, null where the sample is too small`() throws {
    let runner = BenchmarkRunner(
      engine: .simd(.portable), pool: WorkerPool(threadCount: 1), clock: clock)
    let table = BenchmarkTable(
      isa: "portable", cpu: "any",
      measurements: [try runner.measure(workload("a", "frame"), precision: "fp32")])
    let value = try JSONReader.parse(Array(JSONText.pretty(table)))
    #expect(Set(try #require(value.objectValue).keys) == ["isa", "cpu", "workloads"])
    let row = try #require(value["workloads"]?.arrayValue?.first)
    #expect(
      Set(try #require(row.objectValue).keys) == [
        "name", "category", "threads", "precision", "verified", "median_ms", "p99_ms", "p99_9_ms",
        "max_ms", "samples", "flop", "bytes", "roof_share", "between_runs_median_ms",
        "relative_l2_error_against_fp32",
      ])
    #expect(row["median_ms"]?.doubleValue == 10)
    #expect(row["p99_ms"] == .null)
    #expect(row["samples"]?.intValue == 200)
  }
}
