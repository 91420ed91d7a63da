/// A sensor over all measured frames: how often it was missing, and how old what it showed was when
/// the result came out.
public struct SensorSummary: Sendable, Equatable, Encodable {
  public var name: String
  public var frameCount: Int
  public var missingCount: Int
  /// Largest distance between a used sample and its frame's time.
  public var maximumAgeNanoseconds: Int64?
  /// Exposure to result: nil where the sample is too small, and for a sensor that never came.
  public var medianOutputAgeNanoseconds: Int64?
  public var p99OutputAgeNanoseconds: Int64?
  public var maximumOutputAgeNanoseconds: Int64?

  /// One for each sensor of the first record, in its order.
  public static func all(of records: [FrameRecord]) -> [SensorSummary] {
    (records.first?.sensors ?? []).map { sensor in
      let states = records.compactMap { $0.sensors.first { $0.name == sensor.name } }
      let valid = states.filter(\.isValid)
      let ages = valid.compactMap(\.outputAgeNanoseconds).sorted()
      return SensorSummary(
        name: sensor.name, frameCount: records.count, missingCount: records.count - valid.count,
        maximumAgeNanoseconds: valid.map { abs($0.ageNanoseconds) }.max(),
        medianOutputAgeNanoseconds: Percentile.p50.value(ofSorted: ages),
        p99OutputAgeNanoseconds: Percentile.p99.value(ofSorted: ages),
        maximumOutputAgeNanoseconds: ages.last)
    }
  }

  enum CodingKeys: String, CodingKey {
    case name
    case missing = "missing_frames"
    case age = "max_age_ms"
    case median = "output_age_p50_ms"
    case p99 = "output_age_p99_ms"
    case maximum = "output_age_max_ms"
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(missingCount, forKey: .missing)
    try container.encode(maximumAgeNanoseconds.map(milliseconds), forKey: .age)
    try container.encode(medianOutputAgeNanoseconds.map(milliseconds), forKey: .median)
    try container.encode(p99OutputAgeNanoseconds.map(milliseconds), forKey: .p99)
    try container.encode(maximumOutputAgeNanoseconds.map(milliseconds), forKey: .maximum)
  }
}
