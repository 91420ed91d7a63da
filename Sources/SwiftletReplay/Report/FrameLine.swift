/// One line of `frames.jsonl`: what was measured about one frame.
struct FrameLine: Encodable {
  var record: FrameRecord
  var stages: [ReplayStage]
  var missCause: MissCause?

  enum CodingKeys: String, CodingKey {
    case measuredIndex = "measured_index"
    case pass, frame
    case timestamp = "timestamp_ns"
    case service = "service_ms"
    case response = "response_ms"
    case stages = "stages_ms"
    case isMissed = "missed"
    case missCause = "miss_cause"
    case completedStages = "completed_stages"
    case allocations
    case pageFaults = "page_faults"
    case involuntarySwitches = "involuntary_switches"
    case threadCPU = "thread_cpu_ms"
    case steal = "steal_ms"
    case digest, sensors
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(record.measuredIndex, forKey: .measuredIndex)
    try container.encode(record.pass, forKey: .pass)
    try container.encode(record.recordedIndex, forKey: .frame)
    try container.encode(record.timestampNanoseconds, forKey: .timestamp)
    try container.encode(milliseconds(record.serviceNanoseconds), forKey: .service)
    try container.encode(record.responseNanoseconds.map(milliseconds), forKey: .response)
    let times = zip(stages, record.stageNanoseconds).map { ($0.name, milliseconds($1)) }
    try container.encode(Dictionary(uniqueKeysWithValues: times), forKey: .stages)
    try container.encode(record.isMissed, forKey: .isMissed)
    try container.encode(missCause, forKey: .missCause)
    try container.encode(record.completedStageCount, forKey: .completedStages)
    try container.encode(record.allocations, forKey: .allocations)
    try container.encode(record.host.pageFaults, forKey: .pageFaults)
    try container.encode(record.host.involuntarySwitches, forKey: .involuntarySwitches)
    try container.encode(milliseconds(record.host.threadCPUNanoseconds), forKey: .threadCPU)
    try container.encode(milliseconds(record.host.stealNanoseconds), forKey: .steal)
    try container.encode(record.digest.map(OutputDigest.text), forKey: .digest)
    try container.encode(record.sensors.map(SensorLine.init), forKey: .sensors)
  }
}

/// A sensor's state in `frames.jsonl`; ages are null where the sensor is missing.
private struct SensorLine: Encodable {
  var state: SensorState

  enum CodingKeys: String, CodingKey {
    case name
    case isValid = "valid"
    case age = "age_ms"
    case outputAge = "output_age_ms"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(state.name, forKey: .name)
    try container.encode(state.isValid, forKey: .isValid)
    try container.encode(state.isValid ? milliseconds(state.ageNanoseconds) : nil, forKey: .age)
    try container.encode(state.outputAgeNanoseconds.map(milliseconds), forKey: .outputAge)
  }
}
