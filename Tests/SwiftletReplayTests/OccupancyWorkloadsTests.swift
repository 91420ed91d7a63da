import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

private let every = OccupancyWorkloads.all + OccupancyQueryWorkloads.all

@Suite struct OccupancyWorkloadsTests {
  @Test func `names are unique and every mode has its workloads`() {
    let names = every.map(\.name)
    #expect(Set(names).count == names.count)
    for mode in OccupancyMode.allCases { #expect(names.contains("insert-\(mode.rawValue)-0.2")) }
  }

  // Tracing the street takes minutes in a debug build.
  #if !DEBUG
    @Test func `the street is a 64-beam scan of about 124,000 points`() {
      let count = OccupancyWorkloads.scans[0].pointCount
      #expect(count > 110_000 && count < 131_072)
    }

    @Test(arguments: every.map(\.name))
    func `every workload verifies on two threads`(name: String) throws {
      let workload = every.first { $0.name == name }
      let prepared = try #require(workload).prepare(.best, WorkerPool(threadCount: 2), "fp32")
      prepared.run()
      #expect(prepared.verificationFailure() == nil)
    }
  #endif
}
