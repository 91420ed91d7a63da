import CThreadShims
import Foundation

/// What a replay asks of the system so that the host disturbs it less.
public struct HostControls: Sendable, Equatable {
  /// CPUs of the measuring thread and its workers, in the order of parts; empty pins nothing.
  public var cpus: [Int] = []
  /// SCHED_FIFO priority, 1…99; nil keeps the normal policy.
  public var realTimePriority: Int?
  public var locksMemory = false

  public init() {}

  public var isEmpty: Bool { self == HostControls() }

  /// The CPU of each of `threadCount` parts, beginning anew where there are more parts than CPUs.
  public func cpus(forParts threadCount: Int) -> [Int] {
    cpus.isEmpty ? [] : (0..<threadCount).map { cpus[$0 % cpus.count] }
  }

  /// What was granted, in words; nil for nothing.
  public var text: String? {
    var parts: [String] = []
    if !cpus.isEmpty { parts.append("CPUs \(cpus.map(String.init).joined(separator: ","))") }
    if let realTimePriority { parts.append("real-time priority \(realTimePriority)") }
    if locksMemory { parts.append("memory locked") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

/// The system calls behind `HostControls`; injected, so that tests can refuse. Each answers 0 or an
/// errno.
public protocol HostSystem {
  func pinThisThread(to cpu: Int) -> Int32
  /// Lets the thread run where the process may.
  func unpinThisThread()
  func setRealTimePriority(_ priority: Int) -> Int32
  func lockMemory() -> Int32
}

public struct LinuxHostSystem: HostSystem {
  public init() {}
  public func pinThisThread(to cpu: Int) -> Int32 {
    guard let cpu = Int32(exactly: cpu) else { return EINVAL }
    return unsafe withUnsafePointer(to: cpu) { unsafe swl_pin_this_thread($0, 1) }
  }
  public func unpinThisThread() { HostControls.pin(to: HostControls.processCPUs) }
  public func setRealTimePriority(_ priority: Int) -> Int32 {
    swl_set_fifo_priority(Int32(clamping: priority))
  }
  public func lockMemory() -> Int32 { swl_lock_memory() }
}

extension ReplayWarning {
  /// The system refused `--cpus`, `--rt-priority` or `--lock-memory`.
  public static let hostControlRefused = "host-control-refused"
}

extension HostControls {
  /// Asks for everything, for the calling thread; before workers are started, which inherit it.
  ///
  /// - Returns: what was granted, and a warning with its remedy for each refusal.
  public func apply(
    to system: some HostSystem = LinuxHostSystem()
  ) -> (granted: HostControls, refusals: [ReplayWarning]) {
    // Read before anything is pinned.
    _ = Self.processCPUs
    var granted = self
    var refusals: [ReplayWarning] = []
    func refuse(_ what: String, _ code: Int32, _ remedy: String) {
      let why = unsafe String(cString: strerror(code))
      refusals.append(
        ReplayWarning(
          code: ReplayWarning.hostControlRefused,
          message: "\(what) was refused: \(why); the run goes on without it; \(remedy)"))
    }
    // The first CPU is the measuring thread's; trying the others too finds those that do not exist.
    for cpu in cpus.reversed() {
      let code = system.pinThisThread(to: cpu)
      guard code != 0 else { continue }
      granted.cpus = []
      refuse("--cpus: CPU \(cpu)", code, "name CPUs that are online and allowed (nproc, taskset -p)")
    }
    if granted.cpus != cpus { system.unpinThisThread() }
    if let realTimePriority {
      let code = system.setRealTimePriority(realTimePriority)
      if code != 0 {
        granted.realTimePriority = nil
        refuse(
          "--rt-priority \(realTimePriority)", code,
          "allow it: ulimit -r, CAP_SYS_NICE, or a container's --cap-add SYS_NICE")
      }
    }
    if locksMemory {
      let code = system.lockMemory()
      if code != 0 {
        granted.locksMemory = false
        refuse("--lock-memory", code, "raise ulimit -l, or run with CAP_IPC_LOCK")
      }
    }
    return (granted, refusals)
  }

  /// A thread that only reads gives back what it inherited: it must not compete with what is timed.
  static func makeOrdinary(cpus: [Int32]) {
    _ = swl_set_fifo_priority(0)
    pin(to: cpus)
  }

  fileprivate static func pin(to cpus: [Int32]) {
    unsafe cpus.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      unsafe _ = swl_pin_this_thread(base, Int32(buffer.count))
    }
  }

  /// CPUs of the process when it started.
  static let processCPUs: [Int32] = {
    var cpus = [Int32](repeating: 0, count: 1024)
    let count = unsafe cpus.withUnsafeMutableBufferPointer { buffer in
      unsafe swl_this_thread_cpus(buffer.baseAddress!, Int32(buffer.count))
    }
    return Array(cpus.prefix(Int(count)))
  }()
}
