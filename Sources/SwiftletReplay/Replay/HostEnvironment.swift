import Foundation
import Swiftlet

/// The machine a replay runs on, and whether times taken on it mean anything.
public struct HostEnvironment: Sendable, Encodable {
  public var host: String
  public var kernel: String
  /// The CPU's model name.
  public var cpu: String
  public var logicalCPUs: Int
  public var memoryMebibytes: Int
  public var instructionSets: [String]
  /// The one a run without `--isa` takes.
  public var chosenInstructionSet: String
  /// The frequency governor of CPU 0; nil where the system does not show one.
  public var governor: String?
  public var hasHypervisor: Bool
  /// Highest real-time priority this user may take; 0 for none.
  public var realTimePriorityLimit: Int
  /// Bytes this user may lock in memory; nil for no limit.
  public var lockedMemoryLimitBytes: Int?
  /// Runnable tasks over the last minute.
  public var loadAverage: Double
  /// Share of the CPUs' time that the hypervisor took while `measure` watched.
  public var stealShare: Double
  public var build: BuildMode
  /// Why times taken here should not be trusted; empty for a host that is fit.
  public var unfitBecause: [String]

  public var isFitToTimeOn: Bool { unfitBecause.isEmpty }

  enum CodingKeys: String, CodingKey {
    case host, kernel, cpu, governor, build
    case logicalCPUs = "logical_cpus"
    case memoryMebibytes = "memory_mib"
    case instructionSets = "instruction_sets"
    case chosenInstructionSet = "isa"
    case hasHypervisor = "hypervisor"
    case realTimePriorityLimit = "rt_priority_limit"
    case lockedMemoryLimitBytes = "locked_memory_limit_bytes"
    case loadAverage = "load_average"
    case stealShare = "steal_share"
    case isFitToTimeOn = "fit_to_time_on"
    case unfitBecause = "unfit_because"
  }

  /// Every field is there; what the system does not tell is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(host, forKey: .host)
    try container.encode(kernel, forKey: .kernel)
    try container.encode(cpu, forKey: .cpu)
    try container.encode(logicalCPUs, forKey: .logicalCPUs)
    try container.encode(memoryMebibytes, forKey: .memoryMebibytes)
    try container.encode(instructionSets, forKey: .instructionSets)
    try container.encode(chosenInstructionSet, forKey: .chosenInstructionSet)
    try container.encode(governor, forKey: .governor)
    try container.encode(hasHypervisor, forKey: .hasHypervisor)
    try container.encode(realTimePriorityLimit, forKey: .realTimePriorityLimit)
    try container.encode(lockedMemoryLimitBytes, forKey: .lockedMemoryLimitBytes)
    try container.encode(loadAverage, forKey: .loadAverage)
    try container.encode(stealShare, forKey: .stealShare)
    try container.encode(build, forKey: .build)
    try container.encode(isFitToTimeOn, forKey: .isFitToTimeOn)
    try container.encode(unfitBecause, forKey: .unfitBecause)
  }
}

extension HostEnvironment {
  /// Reads the machine's facts and watches steal time for `watchNanoseconds`.
  public static func measure(
    engine: Engine, watchNanoseconds: Int64 = 500_000_000, clock: any ReplayClock = MonotonicClock(),
    counters: any HostCounters = LinuxHostCounters()
  ) -> HostEnvironment {
    let before = counters.sample()
    let start = clock.nowNanoseconds
    clock.sleep(untilNanoseconds: start + watchNanoseconds)
    let elapsed = max(1, clock.nowNanoseconds - start)
    let stolen = (counters.sample() - before).stealNanoseconds
    let process = ProcessInfo.processInfo
    var environment = HostEnvironment(
      host: process.hostName, kernel: text(atPath: "/proc/sys/kernel/osrelease") ?? "unknown",
      cpu: cpuField("model name") ?? "unknown", logicalCPUs: process.activeProcessorCount,
      memoryMebibytes: Int(process.physicalMemory >> 20),
      instructionSets: InstructionSet.supported.map(\.rawValue),
      chosenInstructionSet: engine.instructionSetName,
      governor: text(atPath: "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      hasHypervisor: (cpuField("flags") ?? "").split(separator: " ").contains("hypervisor"),
      realTimePriorityLimit: limit(__RLIMIT_RTPRIO.rawValue) ?? 99,
      lockedMemoryLimitBytes: limit(__RLIMIT_MEMLOCK.rawValue), loadAverage: loadAverage,
      stealShare: Double(stolen) / Double(elapsed) / Double(process.activeProcessorCount),
      build: .current, unfitBecause: [])
    environment.unfitBecause = environment.faults
    return environment
  }

  /// The sentences that speak against timing here.
  var faults: [String] {
    var faults: [String] = []
    if build == .debug { faults.append("this is a debug build: build with -c release") }
    if let governor, governor != "performance" {
      faults.append("the frequency governor is \(governor), not performance")
    }
    if loadAverage > Double(logicalCPUs) / 2 {
      faults.append(
        String(format: "load average %.1f on %d CPUs: others run here", loadAverage, logicalCPUs))
    }
    if stealShare > 0.01 {
      faults.append(String(format: "the hypervisor takes %.1f %% of the time", stealShare * 100))
    }
    return faults
  }

  /// The CPU's model name, `unknown` where the system does not tell.
  public static var cpuName: String { cpuField("model name") ?? "unknown" }

  /// The first line of a small file of the kernel.
  private static func text(atPath path: String) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    return text.split(separator: "\n").first.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static func cpuField(_ name: String) -> String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return nil
    }
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: ":", maxSplits: 1).last.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }

  /// The soft limit of a resource; nil for none.
  private static func limit(_ resource: UInt32) -> Int? {
    var limits = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(resource), &limits) == 0,
      limits.rlim_cur != rlim_t.max
    else { return nil }
    return Int(limits.rlim_cur)
  }

  private static var loadAverage: Double {
    let fields = text(atPath: "/proc/loadavg")?.split(separator: " ")
    return fields?.first.flatMap { Double($0) } ?? 0
  }
}
