import Foundation

/// What `report.json` and the table say: a replay's measurements with their verdict.
public struct ReplayReport: Sendable {
  public var result: ReplayResult
  public var judgement: Judgement
  /// Every status that applies, worst first; the first is the exit code.
  public var exitStatuses: [ExitStatus]
  /// The processor's stages in order, then `total`, and `response` in an open loop.
  public var stages: [StageSummary]
  /// How often each sensor was missing and how old what it showed was.
  public var sensors: [SensorSummary]
  /// Every limit of a budget file with its outcome; empty without one.
  public var budgetChecks: [BudgetCheck]
  /// The machine's name as the budget was held against it.
  public var budgetHost: String?

  public var exitStatus: ExitStatus { exitStatuses[0] }

  /// Judges `result`, by a budget file's limits where there is one with limits on a replay.
  public init(_ result: ReplayResult, budget: BudgetJudge? = nil) {
    self.result = result
    judgement = Self.judge(result)
    stages = Self.summaries(of: result)
    sensors = SensorSummary.all(of: result.records)
    budgetChecks = budget?.checks(result, stages, judgement) ?? []
    budgetHost = budget?.host
    var statuses = result.faults
    let isJudged = result.options.isGated && (!result.records.isEmpty || statuses.isEmpty)
    if !budgetChecks.isEmpty {
      judgement = Self.judgement(judgement, from: budgetChecks)
      if isJudged { statuses.formUnion(budgetChecks.compactMap(\.status)) }
    } else if isJudged {
      switch judgement.verdict {
      case .pass: break
      case .fail: statuses.insert(.budgetMissed)
      case .inconclusive: statuses.insert(.inconclusive)
      }
    }
    exitStatuses = ExitStatus.ordered(statuses)
  }

  /// The rule's verdict, or inconclusive where nothing may be judged.
  private static func judge(_ result: ReplayResult) -> Judgement {
    var judgement = result.ruleJudgement
    guard result.build == .debug else { return judgement }
    judgement.verdict = .inconclusive
    judgement.framesNeeded = nil
    judgement.reasons = ["a debug build is never judged: build with -c release"]
    return judgement
  }

  /// What a budget's checks come to together, with a sentence for each that did not pass.
  private static func judgement(
    _ rule: Judgement, from checks: [BudgetCheck]
  ) -> Judgement {
    var judgement = rule
    let outcomes = Set(checks.map(\.outcome))
    judgement.verdict =
      outcomes.contains(.fail) ? .fail : outcomes.contains(.inconclusive) ? .inconclusive : .pass
    judgement.framesNeeded = judgement.verdict == .inconclusive ? rule.framesNeeded : nil
    let failed = checks.filter { $0.outcome == .fail }.map {
      "\($0.name) is \($0.found), limit \($0.limit)"
    }
    // Many limits share one reason (the host): once is enough.
    var undecided: [String] = []
    for check in checks where check.outcome == .inconclusive {
      let sentence = check.reason ?? check.name
      if !undecided.contains(sentence) { undecided.append(sentence) }
    }
    judgement.reasons = failed + undecided
    if judgement.reasons.isEmpty { judgement.reasons = ["all \(checks.count) limits hold"] }
    return judgement
  }

  private static func summaries(of result: ReplayResult) -> [StageSummary] {
    var rows = result.stages.indices.map { stage in
      StageSummary(
        name: result.stages[stage].name, isInBudget: result.stages[stage].isInBudget,
        samples: result.records.map { $0.stageNanoseconds[stage] })
    }
    if result.options.rate.isOpenLoop {
      rows.append(
        StageSummary(
          name: "response", isInBudget: true,
          samples: result.records.compactMap(\.responseNanoseconds)))
    }
    rows.append(
      StageSummary(
        name: "total", isInBudget: true, samples: result.records.map(\.serviceNanoseconds)))
    return rows
  }
}

extension ReplayReport: Encodable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case schemaVersion = "schema_version"
    case version, recording, frames
    case measuredFrames = "measured_frames"
    case warmupFrames = "warmup_frames"
    case lostFrames = "lost_frames"
    case passes
    case isLooped = "looped"
    case isInterrupted = "interrupted"
    case cpu, engine, isa, threads, build, rate
    case judgedTime = "judged_time"
    case encoder, weights
    case configurationHash = "config_hash"
    case rigHash = "rig_hash"
    case budget = "budget_ms"
    case missRateLimit = "miss_rate_limit"
    case maximumConsecutiveMisses = "max_consecutive_misses"
    case isGated = "gated"
    case verdict, reasons
    case framesNeeded = "frames_needed"
    case exitCode = "exit_code"
    case exitCodes = "exit_codes"
    case misses
    case missCauses = "miss_causes"
    case onDeadline = "on_deadline"
    case cutFrames = "cut_frames"
    case injection = "injected"
    case missRateLower = "miss_rate_lower_95"
    case missRateUpper = "miss_rate_upper_95"
    case longestMissRun = "longest_miss_run"
    case digest
    case allocations = "allocations_after_warmup"
    case pageFaults = "page_faults_after_warmup"
    case involuntarySwitches = "involuntary_switches"
    case steal = "steal_ms"
    case mapScore = "map_score"
    case stages, sensors, warnings
    case preloads = "preloaded"
    case readAhead = "read_ahead_frames"
    case cpus
    case realTimePriority = "rt_priority"
    case locksMemory = "memory_locked"
    case missWindow = "max_misses_in_window"
    case budgetChecks = "budget_checks"
    case host
  }

  /// Every field is always there; what is unknown is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try encodeRun(into: &container)
    try encodeVerdict(into: &container)
    try encodeHost(into: &container)
    try container.encode(result.mapScore.map(MapScoreLine.init), forKey: .mapScore)
    try container.encode(stages, forKey: .stages)
    try container.encode(sensors, forKey: .sensors)
    try container.encode(budgetChecks, forKey: .budgetChecks)
    try container.encode(result.warnings.map(WarningLine.init), forKey: .warnings)
  }

  private func encodeRun(into container: inout KeyedEncodingContainer<CodingKeys>) throws {
    let processor = result.processor
    try container.encode(SwiftletVersion.reportSchema, forKey: .schemaVersion)
    try container.encode(SwiftletVersion.package, forKey: .version)
    try container.encode(result.recordingName, forKey: .recording)
    try container.encode(result.distinctFrameCount, forKey: .frames)
    try container.encode(result.records.count, forKey: .measuredFrames)
    try container.encode(result.warmupFrameCount, forKey: .warmupFrames)
    try container.encode(result.lostFrameCount, forKey: .lostFrames)
    try container.encode(result.passCount, forKey: .passes)
    try container.encode(result.passCount > 1, forKey: .isLooped)
    try container.encode(result.isInterrupted, forKey: .isInterrupted)
    try container.encode(HostEnvironment.cpuName, forKey: .cpu)
    try container.encode(processor.engine, forKey: .engine)
    try container.encode(processor.instructionSet, forKey: .isa)
    try container.encode(processor.threadCount, forKey: .threads)
    try container.encode(result.build, forKey: .build)
    try container.encode(result.options.rate.label, forKey: .rate)
    try container.encode(
      result.options.rate.isOpenLoop ? "response" : "service", forKey: .judgedTime)
    try container.encode(
      result.options.preloads ? nil : result.options.readAhead, forKey: .readAhead)
    try container.encode(result.options.preloads, forKey: .preloads)
    try container.encode(processor.encoder, forKey: .encoder)
    try container.encode(processor.weights, forKey: .weights)
    try container.encode(processor.configurationHash, forKey: .configurationHash)
    try container.encode(processor.rigHash, forKey: .rigHash)
  }

  private func encodeVerdict(into container: inout KeyedEncodingContainer<CodingKeys>) throws {
    let options = result.options
    try container.encode(milliseconds(options.budgetNanoseconds), forKey: .budget)
    try container.encode(options.rule.missRate, forKey: .missRateLimit)
    try container.encode(options.rule.maximumConsecutiveMisses, forKey: .maximumConsecutiveMisses)
    try container.encode(
      options.rule.window.map { [$0.misses, $0.frames] }, forKey: .missWindow)
    try container.encode(options.isGated, forKey: .isGated)
    try container.encode(judgement.verdict, forKey: .verdict)
    try container.encode(judgement.reasons, forKey: .reasons)
    try container.encode(judgement.framesNeeded, forKey: .framesNeeded)
    try container.encode(exitStatus.rawValue, forKey: .exitCode)
    try container.encode(exitStatuses.map(\.rawValue), forKey: .exitCodes)
    try container.encode(result.missCount, forKey: .misses)
    let causes = result.missCauses.map { ($0.key.rawValue, $0.value) }
    try container.encode(Dictionary(uniqueKeysWithValues: causes), forKey: .missCauses)
    try container.encode(options.onDeadline.rawValue, forKey: .onDeadline)
    try container.encode(result.cutFrameCount, forKey: .cutFrames)
    try container.encode(result.injection, forKey: .injection)
    try container.encode(judgement.missRateLower95, forKey: .missRateLower)
    try container.encode(judgement.missRateUpper95, forKey: .missRateUpper)
    try container.encode(result.longestMissRun, forKey: .longestMissRun)
    try container.encode(result.digest.map(OutputDigest.text), forKey: .digest)
  }

  private func encodeHost(into container: inout KeyedEncodingContainer<CodingKeys>) throws {
    let hosts = result.records.map(\.host)
    try container.encode(ProcessInfo.processInfo.hostName, forKey: .host)
    try container.encode(result.hostControls.cpus, forKey: .cpus)
    try container.encode(result.hostControls.realTimePriority, forKey: .realTimePriority)
    try container.encode(result.hostControls.locksMemory, forKey: .locksMemory)
    try container.encode(result.allocationCount, forKey: .allocations)
    try container.encode(hosts.reduce(0) { $0 + $1.pageFaults }, forKey: .pageFaults)
    try container.encode(
      hosts.reduce(0) { $0 + $1.involuntarySwitches }, forKey: .involuntarySwitches)
    try container.encode(milliseconds(result.stealNanoseconds), forKey: .steal)
  }

  /// The bytes of `report.json`: sorted keys, one field a line, a final newline.
  public func json() throws -> Data { try JSONText.pretty(self) }
}

/// JSON as this project prints it.
public enum JSONText {
  public static func pretty(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value) + Data("\n".utf8)
  }
  /// One line, with its newline.
  public static func line(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value) + Data("\n".utf8)
  }
}
