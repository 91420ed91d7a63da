import SwiftletReplay
import Testing

@Suite struct MissCauseTests {
  private func cause(
    service: Int64, cpu: Int64, switches: Int64 = 0, steal: Int64 = 0, threads: Int = 1
  ) -> MissCause {
    var host = HostSample()
    host.threadCPUNanoseconds = cpu * 1_000_000
    host.involuntarySwitches = switches
    host.stealNanoseconds = steal * 1_000_000
    return MissCause(
      serviceNanoseconds: service * 1_000_000, host: host, budgetNanoseconds: 10_000_000,
      threadCount: threads)
  }

  @Test func `a frame that used the CPU all along is the code's`() {
    #expect(cause(service: 14, cpu: 14) == .code)
    // 3 ms off the CPU do not explain 4 ms too much.
    #expect(cause(service: 14, cpu: 11, switches: 1) == .code)
  }

  @Test func `time off the CPU that covers the excess is the host's`() {
    #expect(cause(service: 14, cpu: 9, switches: 1) == .host)
    #expect(cause(service: 14, cpu: 10) == .host)
    #expect(cause(service: 30, cpu: 30, steal: 10) == .host)
  }

  @Test func `waiting for another thread that lost its CPU is the host's`() {
    #expect(cause(service: 14, cpu: 14, switches: 2, threads: 2) == .host)
    #expect(cause(service: 14, cpu: 14, switches: 0, threads: 2) == .code)
  }

  @Test func `a fast frame behind a late one waited`() {
    #expect(cause(service: 4, cpu: 4) == .queue)
  }
}
