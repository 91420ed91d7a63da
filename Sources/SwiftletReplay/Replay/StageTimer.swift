import Swiftlet

/// Runs the stages of one frame with a clock reading between each two, and leaves out what a
/// deadline policy or an earlier run's decisions say. Allocates nothing while it runs.
final class StageTimer {
  let firstBudgetStage: Int
  /// Stages of the last frame that ran.
  private(set) var completedStageCount = 0
  private let stageCount: Int
  private let options: ReplayOptions
  private let clock: any ReplayClock
  /// Clock readings of one frame: a start and an end for each stage outside the budget and inside
  /// it, where neighbours share one. The in-budget stages lie one place further, because a wait may
  /// come before them.
  private let ticks: AlignedBuffer<Int64>

  init(stages: [ReplayStage], options: ReplayOptions, clock: any ReplayClock) {
    let firstBudgetStage = stages.firstIndex(where: \.isInBudget) ?? stages.count
    precondition(
      stages[firstBudgetStage...].allSatisfy(\.isInBudget),
      "stages outside the budget come first, found \(stages.map(\.name))")
    self.firstBudgetStage = firstBudgetStage
    stageCount = stages.count
    self.options = options
    self.clock = clock
    ticks = AlignedBuffer(count: stages.count + 2)
  }

  func runOutsideBudget(_ processor: any FrameProcessor, _ frame: inout SensorFrame) throws {
    try run(0..<firstBudgetStage, processor, &frame, measuredIndex: 0)
  }

  func runInBudget(
    _ processor: any FrameProcessor, _ frame: inout SensorFrame, measuredIndex: Int
  ) throws {
    try run(firstBudgetStage..<stageCount, processor, &frame, measuredIndex: measuredIndex)
  }

  /// Each reading ends one stage and starts the next, so that no time falls between two.
  private func run(
    _ range: Range<Int>, _ processor: any FrameProcessor, _ frame: inout SensorFrame,
    measuredIndex: Int
  ) throws {
    let shift = range.lowerBound == firstBudgetStage ? 1 : 0
    let start = clock.nowNanoseconds
    unsafe ticks.pointer[range.lowerBound + shift] = start
    completedStageCount = range.lowerBound
    for stage in range {
      let spent = unsafe ticks.pointer[stage + shift] - start
      if mayRun(stage, spentNanoseconds: spent, measuredIndex) {
        try processor.run(stage: stage, on: &frame)
        completedStageCount = stage + 1
        if options.plantedSlowdown > 0 {
          lengthen(stageThatBegan: unsafe ticks.pointer[stage + shift])
        }
      }
      unsafe ticks.pointer[stage + 1 + shift] = clock.nowNanoseconds
    }
  }

  /// Works on, to no purpose, until the stage took its share longer.
  private func lengthen(stageThatBegan start: Int64) {
    let now = clock.nowNanoseconds
    let end = now + Int64(Double(now - start) * options.plantedSlowdown)
    while clock.nowNanoseconds < end {}
  }

  /// The first in-budget stage always runs, and nothing runs after a stage that was left out.
  private func mayRun(_ stage: Int, spentNanoseconds: Int64, _ measuredIndex: Int) -> Bool {
    guard stage > firstBudgetStage else { return true }
    guard completedStageCount == stage else { return false }
    if let decided = options.decisions?.completedStages {
      return measuredIndex >= decided.count || stage < decided[measuredIndex]
    }
    return spentNanoseconds < options.budgetNanoseconds
      || !options.onDeadline.skips(stage: stage, of: stageCount)
  }

  /// Of the last frame's in-budget stages.
  var startNanoseconds: Int64 { ticks[firstBudgetStage + 1] }
  var endNanoseconds: Int64 { ticks[stageCount + 1] }

  /// When stage `stage` of the last frame began.
  func begin(_ stage: Int) -> Int64 { ticks[tick(stage)] }
  /// How long it took; 0 when it was left out.
  func duration(_ stage: Int) -> Int64 {
    stage < completedStageCount ? ticks[tick(stage) + 1] - ticks[tick(stage)] : 0
  }
  private func tick(_ stage: Int) -> Int { stage + (stage >= firstBudgetStage ? 1 : 0) }
}
