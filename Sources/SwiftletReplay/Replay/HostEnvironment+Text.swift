import Foundation

extension HostEnvironment: CustomStringConvertible {
  /// One fact a line, the conclusion last.
  public var description: String {
    let locked = lockedMemoryLimitBytes.map { "\($0 >> 10) KiB" } ?? "unlimited"
    let fit =
      isFitToTimeOn
      ? "fit to time on" + (hasHypervisor ? " (a virtual machine: watch the steal time)" : "")
      : "NOT fit to time on: \(unfitBecause.joined(separator: "; "))"
    return """
      cpu                \(cpu), \(logicalCPUs) logical CPUs, \(memoryMebibytes) MiB
      kernel             \(kernel)
      instruction sets   \(instructionSets.joined(separator: ", "))
      chosen             \(chosenInstructionSet)
      governor           \(governor ?? "not shown by this system")
      real-time limits   priority \(realTimePriorityLimit), locked memory \(locked)
      load average       \(String(format: "%.2f", loadAverage))
      steal              \(String(format: "%.2f", stealShare * 100)) % while watched
      build              \(build.rawValue)
      verdict            \(fit)
      """
  }
}
