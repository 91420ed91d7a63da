import Swiftlet

/// How the frames of a recording were made: what a clip carries, so that reading it makes the same
/// frames. A few samples alone do not say what their sensors' periods or the rig's order were.
struct ReadingProfile: Sendable, Equatable {
  /// The name of the MCAP metadata record.
  static let metadataName = "swiftlet.reading"

  var trigger: String
  var association: SampleAssociation
  var clock: SampleClock
  /// Nanoseconds by sensor.
  var maximumAges: [String: Int64]
  /// Names in the rig's order.
  var sensors: [String]
  /// LiDARs whose points carry their own times and are not corrected for motion.
  var timedLidars: Set<String>
  var egoBodyBox: EgoBodyBox?

  init(_ recording: IndexedRecording) {
    trigger = recording.triggerSensor
    association = recording.association
    clock = recording.options.clock
    sensors = recording.index.sensors.map(\.name)
    maximumAges = [:]
    for name in sensors { maximumAges[name] = recording.maximumAgeNanoseconds(name) }
    timedLidars = Set(
      recording.index.sensors.filter { $0.points.time != nil && !$0.points.isMotionCorrected }
        .map(\.name))
    if let reader = recording.reader as? MessageSampleReader {
      timedLidars.formUnion(reader.timedLidars)
    }
    egoBodyBox = recording.options.egoBodyBox ?? recording.index.egoBodyBox
  }

  // MARK: metadata

  var metadata: [String: String] {
    var map = [
      "trigger": trigger, "association": association.rawValue, "clock": clock.rawValue,
    ]
    for (number, name) in sensors.enumerated() { map["sensor/\(number)"] = name }
    for (name, age) in maximumAges { map["maximum_age_ns/\(name)"] = String(age) }
    for name in timedLidars { map["timed/\(name)"] = "true" }
    if let box = egoBodyBox {
      let bounds = (0..<3).map { box.minimum[$0] } + (0..<3).map { box.maximum[$0] }
      map["ego_body_box"] = bounds.map { "\($0)" }.joined(separator: " ")
    }
    return map
  }

  /// Nil where the record is of another kind or lacks what is needed.
  init?(_ record: MCAPMetadata) {
    let map = record.metadata
    guard record.name == Self.metadataName, let trigger = map["trigger"],
      let association = map["association"].flatMap(SampleAssociation.init),
      let clock = map["clock"].flatMap(SampleClock.init)
    else { return nil }
    self.trigger = trigger
    self.association = association
    self.clock = clock
    sensors = (0..<map.count).compactMap { map["sensor/\($0)"] }
    maximumAges = [:]
    timedLidars = []
    for (key, value) in map {
      if let name = key.suffix(after: "maximum_age_ns/"), let age = Int64(value), age > 0 {
        maximumAges[name] = age
      }
      if let name = key.suffix(after: "timed/") { timedLidars.insert(name) }
    }
    let bounds = (map["ego_body_box"] ?? "").split(separator: " ").compactMap { Double($0) }
    if bounds.count == 6, bounds.allSatisfy(\.isFinite) {
      egoBodyBox = EgoBodyBox(
        minimum: SIMD3(bounds[0], bounds[1], bounds[2]),
        maximum: SIMD3(bounds[3], bounds[4], bounds[5]))
    }
  }

  /// Of the first container that has one.
  static func find(in stores: [any MessageStore]) -> ReadingProfile? {
    for case let reader as MCAPReader in stores {
      for record in reader.metadata {
        if let profile = ReadingProfile(record) { return profile }
      }
    }
    return nil
  }

  // MARK: reading

  /// The user's options where they differ from the defaults, else what the clip was read with.
  func applied(to options: RecordingOptions) -> RecordingOptions {
    let defaults = RecordingOptions()
    var options = options
    options.triggerSensor = options.triggerSensor ?? trigger
    if options.association == defaults.association { options.association = association }
    if options.clock == defaults.clock { options.clock = clock }
    if options.maximumAge == defaults.maximumAge {
      for (name, age) in maximumAges where options.maximumAgeOfSensor[name] == nil {
        options.maximumAgeOfSensor[name] = .nanoseconds(age)
      }
    }
    return options
  }

  /// Sensors in the rig's order, others behind.
  func ordered(_ found: [IndexedSensor]) -> [IndexedSensor] {
    let places = Dictionary(sensors.enumerated().map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
    let ranked = found.enumerated().sorted { a, b in
      (places[a.element.name] ?? .max, a.offset) < (places[b.element.name] ?? .max, b.offset)
    }.map(\.element)
    return ranked.filter { $0.kind == .camera } + ranked.filter { $0.kind == .lidar }
  }
}

extension String {
  /// What follows `prefix`; nil without it.
  fileprivate func suffix(after prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
