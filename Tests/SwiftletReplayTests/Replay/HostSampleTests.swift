import Foundation
import SwiftletReplay
import Testing

@Suite struct HostSampleTests {
  @Test func `steal time is the eighth number of the first line of proc stat`() throws {
    let counters = LinuxHostCounters()
    let before = counters.sample().stealNanoseconds
    let text = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
    let numbers = text.split(separator: "\n")[0].split(separator: " ").dropFirst()
    let ticks = try #require(Int64(Array(numbers)[7]))
    let after = counters.sample().stealNanoseconds
    #expect(before <= ticks * 10_000_000 && ticks * 10_000_000 <= after)
  }

  @Test func `touching new memory counts as page faults`() {
    let counters = LinuxHostCounters()
    let before = counters.sample()
    let pages = [UInt8](repeating: 1, count: 4 << 20)
    let difference = counters.sample() - before
    #expect(pages[123] == 1)
    #expect(difference.pageFaults > 0)
    #expect(difference.threadCPUNanoseconds > 0)
  }
}
