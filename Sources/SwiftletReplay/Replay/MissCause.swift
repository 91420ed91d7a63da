/// Why a frame was late.
public enum MissCause: String, Sendable, Codable, CaseIterable {
  /// The host took the CPU away: without that the frame would have been in time.
  case host
  /// The computation itself takes that long.
  case code
  /// Open loop only: the frame itself was fast, but it waited behind a late one.
  case queue

  /// Judges one late frame by what stands beside it.
  ///
  /// Host: the time the frame's thread spent off the CPU covers the excess, or the hypervisor stole
  /// time, or (several threads) the scheduler took a thread away while the others had to wait for
  /// it. Everything else is the code's own.
  public init(
    serviceNanoseconds: Int64, host: HostSample, budgetNanoseconds: Int64, threadCount: Int
  ) {
    let excess = serviceNanoseconds - budgetNanoseconds
    let offCPU = serviceNanoseconds - host.threadCPUNanoseconds
    if excess <= 0 {
      self = .queue
    } else if offCPU >= excess || host.stealNanoseconds > 0
      || (threadCount > 1 && host.involuntarySwitches > 0)
    {
      self = .host
    } else {
      self = .code
    }
  }
}

extension ReplayResult {
  /// The cause of a late frame; nil for one in time.
  public func missCause(of record: FrameRecord) -> MissCause? {
    guard record.isMissed else { return nil }
    return MissCause(
      serviceNanoseconds: record.serviceNanoseconds, host: record.host,
      budgetNanoseconds: options.budgetNanoseconds, threadCount: processor.threadCount)
  }

  /// Misses by cause; causes that do not occur are 0.
  public var missCauses: [MissCause: Int] {
    var counts = Dictionary(uniqueKeysWithValues: MissCause.allCases.map { ($0, 0) })
    for record in records { if let cause = missCause(of: record) { counts[cause, default: 0] += 1 } }
    return counts
  }
}
