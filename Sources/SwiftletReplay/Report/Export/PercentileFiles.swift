import Foundation
import Histogram

/// Latency distributions in HdrHistogram's percentile format (`.hgrm`), which its plotters read:
/// milliseconds, three significant digits.
public struct PercentileFiles: Sendable {
  private let report: ReplayReport

  public init(_ report: ReplayReport) { self.report = report }

  /// By file name: one for each stage, `total.hgrm` and in an open loop `response.hgrm`; none for a
  /// run that measured nothing.
  public var files: [String: String] {
    var files: [String: String] = [:]
    for stage in report.stages {
      let samples = report.result.samples(of: stage.name)
      guard !samples.isEmpty else { continue }
      files["\(FramePictures.fileName(stage.name)).hgrm"] = Self.text(samples)
    }
    return files
  }

  /// The distribution of `samples`, nanoseconds.
  static func text(_ samples: [Int64]) -> String {
    var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    for sample in samples { _ = histogram.record(UInt64(max(0, sample))) }
    var text = ""
    histogram.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1e6)
    return text
  }
}

extension ReplayResult {
  /// Nanoseconds of a row of the report, in order of measurement: a stage, `total` or `response`.
  func samples(of name: String) -> [Int64] {
    if let index = stages.firstIndex(where: { $0.name == name }) {
      return records.map { $0.stageNanoseconds[index] }
    }
    return name == "response"
      ? records.compactMap(\.responseNanoseconds)
      : name == "total" ? records.map(\.serviceNanoseconds) : []
  }
}
