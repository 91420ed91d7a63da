import CThreadShims
import Glibc

/// What the host did to this process so far: counters that stand beside every timing.
public struct HostSample: Sendable, Equatable {
  /// Minor and major page faults of the process.
  public var pageFaults: Int64 = 0
  /// Times the scheduler took the CPU away from a thread of the process.
  public var involuntarySwitches: Int64 = 0
  /// CPU time of the calling thread.
  public var threadCPUNanoseconds: Int64 = 0
  /// Time the hypervisor took from all CPUs; counted by the kernel in ticks of 10 ms.
  public var stealNanoseconds: Int64 = 0

  public init() {}

  public static func - (later: HostSample, earlier: HostSample) -> HostSample {
    var difference = HostSample()
    difference.pageFaults = later.pageFaults - earlier.pageFaults
    difference.involuntarySwitches = later.involuntarySwitches - earlier.involuntarySwitches
    difference.threadCPUNanoseconds = later.threadCPUNanoseconds - earlier.threadCPUNanoseconds
    difference.stealNanoseconds = later.stealNanoseconds - earlier.stealNanoseconds
    return difference
  }
}

/// Reads host counters; injected, so that tests decide what the host did.
public protocol HostCounters: AnyObject {
  func sample() -> HostSample
}

/// The counters of Linux: getrusage, the thread's CPU clock, /proc/stat.
@safe
public final class LinuxHostCounters: HostCounters {
  private let procStat: Int32
  private let line: UnsafeMutableRawBufferPointer

  public init() {
    unsafe procStat = open("/proc/stat", O_RDONLY | O_CLOEXEC)
    unsafe line = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
  }

  deinit {
    if procStat >= 0 { close(procStat) }
    unsafe line.deallocate()
  }

  /// Allocates nothing.
  public func sample() -> HostSample {
    var sample = HostSample()
    sample.stealNanoseconds = stealNanoseconds()
    sample.pageFaults = swl_process_page_faults()
    sample.involuntarySwitches = swl_process_involuntary_switches()
    sample.threadCPUNanoseconds = swl_thread_cpu_nanoseconds()
    return sample
  }

  /// The eighth number of the line `cpu  user nice system idle iowait irq softirq steal …`, in
  /// ticks of 1/100 s (USER_HZ is 100 on every Linux that Swift supports); 0 where there is none.
  private func stealNanoseconds() -> Int64 {
    guard procStat >= 0 else { return 0 }
    let byteCount = unsafe pread(procStat, line.baseAddress, line.count, 0)
    var field = 0
    var ticks: Int64 = 0
    var index = 0
    while index < byteCount {
      let byte = unsafe line[index]
      let isDigit = byte >= 0x30 && byte <= 0x39
      if isDigit, field == 8 { ticks = ticks * 10 + Int64(byte - 0x30) }
      if byte == 0x0a { break }
      if byte == 0x20, index + 1 < byteCount, unsafe line[index + 1] != 0x20 { field += 1 }
      index += 1
    }
    return ticks * 10_000_000
  }
}

/// Counts allocations of the process between two calls. The counter interposes malloc, so only
/// executables and tests have one to hand in; the library has none.
public struct AllocationCounting: Sendable {
  public var start: @Sendable () -> Void
  public var stop: @Sendable () -> Int64

  public init(start: @escaping @Sendable () -> Void, stop: @escaping @Sendable () -> Int64) {
    self.start = start
    self.stop = stop
  }
}
