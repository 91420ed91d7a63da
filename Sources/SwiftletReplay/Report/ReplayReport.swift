import Foundation

/// What `report.json` and the table say: a replay's measurements with their verdict.
public struct ReplayReport: Sendable {
  public var result: ReplayResult
  public var judgement: Judgement
  /// Every status that applies, worst first; the first is the exit code.
  public var exitStatuses: [ExitStatus]
  /// The processor's stages in order, then `total`, and `response` in an open loop.
  public var stages: [StageSummary]

  public var exitStatus: ExitStatus { exitStatuses[0] }

  /// Judges `result`.
  public init(_ result: ReplayResult) {
    self.result = result
    judgement = Self.judge(result)
    stages = Self.summaries(of: result)
    var statuses = result.faults
    if result.options.isGated, !result.records.isEmpty || statuses.isEmpty {
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
    var judgement = result.options.rule.judge(
      frames: result.records.count, misses: result.missCount, longestRun: result.longestMissRun)
    guard result.build == .debug else { return judgement }
    judgement.verdict = .inconclusive
    judgement.framesNeeded = nil
    judgement.reasons = ["a debug build is never judged: build with -c release"]
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
    case stages, warnings
  }

  /// Every field is always there; what is unknown is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try encodeRun(into: &container)
    try encodeVerdict(into: &container)
    try encodeHost(into: &container)
    try container.encode(result.mapScore.map(MapScoreLine.init), forKey: .mapScore)
    try container.encode(stages, forKey: .stages)
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
