import Foundation
import Swiftlet
import SwiftletReplay
import Testing

/// Every engine this machine can run.
let everyEngine: [Engine] = [.reference] + InstructionSet.supported.map(Engine.simd)

/// The folder of fixtures in this checkout.
let fixturesFolder = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Fixtures")

@Suite struct GoldenSetTests {
  @Test(arguments: everyEngine, [1, 2])
  func `the golden fixtures pass on every engine and thread count`(
    engine: Engine, threads: Int
  ) throws {
    try expectPasses(fixturesFolder.appendingPathComponent("golden").path, engine, threads)
  }

  /// The large set, where `SWIFTLET_GOLDEN` names it. Kernels only: the scalar references of the
  /// realistic cases take minutes in a debug build and are run by `swiftlet verify` in release.
  @Test(
    .enabled(if: ProcessInfo.processInfo.environment["SWIFTLET_GOLDEN"] != nil),
    arguments: InstructionSet.supported.map(Engine.simd))
  func `the large golden set passes on every instruction set`(engine: Engine) throws {
    let path = try #require(ProcessInfo.processInfo.environment["SWIFTLET_GOLDEN"])
    try expectPasses(path, engine, 2)
  }

  private func expectPasses(_ path: String, _ engine: Engine, _ threads: Int) throws {
    let context = VerifyContext(engine: engine, pool: WorkerPool(threadCount: threads))
    let cases = Verifier(context: context).run(try GoldenSet(path: path))
    #expect(!cases.isEmpty)
    for failed in cases where failed.status == .fail {
      Issue.record("\(failed.case) on \(failed.engine)/\(failed.isa): \(failed.detail)")
    }
  }
}

@Suite struct VerifierTests {
  private func verify(_ runners: [String: GoldenRunner]) throws -> [VerifiedCase] {
    let context = VerifyContext(engine: .reference, pool: WorkerPool(threadCount: 1))
    let set = try GoldenSet(path: fixturesFolder.appendingPathComponent("golden").path)
    return Verifier(context: context, runners: runners).run(set, filter: "linear_tiny")
  }

  @Test func `an operation nobody knows is unsupported`() throws {
    #expect(try verify([:]).map(\.status) == [.unsupported])
  }

  @Test func `a wrong, a missing and a thrown result fail`() throws {
    let runners: [GoldenRunner] = [
      { golden, _ in ["out.y": .float32(try golden.shape("out.y").reduce([]) { a, _ in a + [0] })] },
      { _, _ in [:] },
      { _, _ in throw GoldenError.malformed("planted") },
      { golden, _ in
        var y = try golden.floats("out.y")
        y[0] += 1
        return ["out.y": .float32(y)]
      },
    ]
    for runner in runners { #expect(try verify(["linear": runner]).map(\.status) == [.fail]) }
  }

  @Test func `the expected values themselves pass`() throws {
    let cases = try verify(["linear": { golden, _ in ["out.y": .float32(try golden.floats("out.y"))] }])
    #expect(cases.map(\.status) == [.pass])
  }

  @Test func `a folder without an index is a typed error`() {
    #expect(throws: GoldenSetError.self) { try GoldenSet(path: "/nonexistent") }
  }
}
