import Foundation

/// What happens when a frame's time is up between two stages.
public enum DeadlinePolicy: String, Sendable, CaseIterable {
  /// Every stage runs, however late.
  case finish
  /// The last stage is left out; the fused map of the frame before stays.
  case skipFusion = "skip-fusion"
  /// All remaining stages are left out; results of the frame before stay.
  case reuseLast = "reuse-last"

  /// True when `stage` of `stageCount` is left out once the budget is used up before it.
  func skips(stage: Int, of stageCount: Int) -> Bool {
    switch self {
    case .finish: false
    case .skipFusion: stage == stageCount - 1
    case .reuseLast: true
    }
  }
}

/// What was decided in a run, frame by frame: a run that is given the decisions of another does
/// exactly the same work, whatever its own timing.
public struct DecisionLog: Sendable, Equatable {
  /// Of each measured frame, how many stages ran.
  public var completedStages: [Int]

  public init(completedStages: [Int]) { self.completedStages = completedStages }

  public init(_ result: ReplayResult) {
    completedStages = result.records.map(\.completedStageCount)
  }

  private struct Line: Codable {
    var measuredIndex: Int
    var completedStages: Int
    enum CodingKeys: String, CodingKey {
      case measuredIndex = "measured_index"
      case completedStages = "completed_stages"
    }
  }

  /// One JSON line a frame.
  public func serialized() throws -> Data {
    var data = Data()
    for (index, stages) in completedStages.enumerated() {
      data += try JSONText.line(Line(measuredIndex: index, completedStages: stages))
    }
    return data
  }

  /// Reads what `serialized` wrote.
  ///
  /// - Throws: for a line that is no decision, or one out of order.
  public init(data: Data) throws {
    completedStages = []
    for (number, text) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
      guard let line = try? JSONDecoder().decode(Line.self, from: Data(text)),
        line.measuredIndex == number, line.completedStages >= 0
      else {
        throw RecordingError(
          file: "decisions", record: "line \(number + 1)",
          expected: "measured_index \(number) and completed_stages",
          found: String(decoding: text.prefix(80), as: UTF8.self),
          remedy: "give the decisions.jsonl of an earlier run")
      }
      completedStages.append(line.completedStages)
    }
  }
}
