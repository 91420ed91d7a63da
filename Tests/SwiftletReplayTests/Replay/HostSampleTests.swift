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

  @Test func `touching new memory counts as page faults`() throws {
    let counters = LinuxHostCounters()
    let before = counters.sample()
    // Mapped afresh: memory that malloc hands out again may have its pages already.
    let byteCount = 4 << 20
    let flags = MAP_PRIVATE | Int32(MAP_ANONYMOUS)
    let pages = try #require(mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0))
    memset(pages, 1, byteCount)
    let difference = counters.sample() - before
    munmap(pages, byteCount)
    #expect(difference.pageFaults > 0)
    #expect(difference.threadCPUNanoseconds > 0)
  }
}
