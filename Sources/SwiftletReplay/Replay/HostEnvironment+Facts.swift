extension HostEnvironment {
  /// The lines of a report about the machine.
  public var facts: [HTMLReport.Fact] {
    [
      HTMLReport.Fact("host", host), HTMLReport.Fact("CPU", "\(cpu), \(logicalCPUs) logical"),
      HTMLReport.Fact("memory", "\(memoryMebibytes) MiB"), HTMLReport.Fact("kernel", kernel),
      HTMLReport.Fact("governor", governor ?? "not shown"),
      HTMLReport.Fact("load average", "\((loadAverage * 100).rounded() / 100)"),
      HTMLReport.Fact(
        "fit to time on", isFitToTimeOn ? "yes" : unfitBecause.joined(separator: "; ")),
    ]
  }
}
