import Swiftlet

/// MCAP files and ROS 2 bags as recordings: their messages become the same index as folders of
/// files, so that frames are made by the same rules.
enum MessageRecording {
  static let mcapLayout = "MCAP"
  static let bagLayout = "ROS 2 bag"

  /// Opens an MCAP file, a `.db3` file or a ROS 2 bag's folder; nil when the path is none of them.
  static func open(
    path: String, options: RecordingOptions
  ) throws(RecordingError) -> (any Recording)? {
    guard let (layout, stores, warnings) = try stores(path) else { return nil }
    let profile = ReadingProfile.find(in: stores)
    let options = profile?.applied(to: options) ?? options
    var indexer = MessageIndexer(clock: options.clock, exact: ExactTransforms(in: stores))
    indexer.scan(stores)
    var rig = MessageRig(indexer: indexer)
    let sensors = profile?.ordered(rig.sensors()) ?? rig.sensors()
    let times = sensors.flatMap { $0.samples.map(\.timestampNanoseconds) }
    let track = rig.poseTrack(over: (times.min() ?? 0)...(times.max() ?? 0))
    let index = RecordingIndex(
      layout: layout, path: path, name: RecordingFile.stem(path), sensors: sensors,
      poses: track ?? PoseTrack([]), hasPoses: track != nil,
      warnings: warnings + indexer.warnings + rig.warnings,
      outputRoot: RecordingFile.isFolder(path) ? path : folder(of: path),
      egoBodyBox: profile.map(\.egoBodyBox)
        ?? (isNuScenesRig(sensors) ? NuScenesReader.egoBodyBox : nil))
    let reader = MessageSampleReader(
      stores: stores, messages: rig.messages, timedLidars: profile?.timedLidars ?? [])
    return try IndexedRecording(
      index: index, reader: reader,
      options: profile == nil ? options.withSensorAges(index) : options)
  }

  /// The published nuScenes car, converted: its body around the LiDAR is known.
  private static func isNuScenesRig(_ sensors: [IndexedSensor]) -> Bool {
    let names = sensors.map(\.name)
    return names.contains("LIDAR_TOP") && names.contains { $0.hasPrefix("CAM_") }
  }

  private static func folder(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  // MARK: containers

  /// The containers at a path; nil when it is no recording of messages.
  static func stores(
    _ path: String
  ) throws(RecordingError) -> (
    layout: String, stores: [any MessageStore], warnings: [ReplayWarning]
  )? {
    if !RecordingFile.isFolder(path) {
      guard let store = try store(path) else { return nil }
      return (store is SQLiteBag ? bagLayout : mcapLayout, [store], [])
    }
    let present = RecordingFile.names(in: path).filter { $0.hasSuffix(".mcap") || $0.hasSuffix(".db3") }
    let metadata = "\(path)/metadata.yaml"
    let isBag = RecordingFile.exists(metadata)
    guard isBag || !present.isEmpty else { return nil }
    let listed = isBag ? try parts(metadata) : []
    if isBag, listed.isEmpty, present.isEmpty { return nil }
    return try bag(path, listed: listed, present: present)
  }

  private static func store(_ path: String) throws(RecordingError) -> (any MessageStore)? {
    let start = (try? MCAPFile(path: path).read(0, 16)) ?? []
    if start.starts(with: Array("SQLite format 3".utf8)) || path.hasSuffix(".db3") {
      return try SQLiteBag(path: path)
    }
    if path.hasSuffix(".mcap") || start.starts(with: MCAPReader.magic.prefix(5)) {
      return try MCAPReader(path: path)
    }
    return nil
  }

  /// Parts in the order of the metadata, unlisted ones last.
  private static func bag(
    _ path: String, listed: [String], present: [String]
  ) throws(RecordingError) -> (
    layout: String, stores: [any MessageStore], warnings: [ReplayWarning]
  ) {
    var warnings: [ReplayWarning] = []
    func warn(_ name: String, _ expected: String, _ found: String, _ remedy: String) {
      let error = RecordingError(
        file: "\(path)/\(name)", expected: expected, found: found, remedy: remedy)
      warnings.append(
        ReplayWarning(code: ReplayWarning.containerDamaged, message: error.description))
    }
    var names: [String] = []
    for name in listed {
      if present.contains(name) {
        names.append(name)
      } else {
        warn(name, "the part that metadata.yaml lists", "nothing there", "copy it from the source")
      }
    }
    for name in present where !names.contains(name) {
      if !listed.isEmpty {
        warn(name, "only parts that metadata.yaml lists", "one more", "it is read after the others")
      }
      names.append(name)
    }
    var stores: [any MessageStore] = []
    for name in names {
      do throws(RecordingError) {
        if let store = try store("\(path)/\(name)") { stores.append(store) }
      } catch {
        guard names.count > 1 else { throw error }
        warnings.append(
          ReplayWarning(code: ReplayWarning.containerDamaged, message: error.description))
      }
    }
    guard !stores.isEmpty else {
      throw RecordingError(
        file: path, expected: "an .mcap or .db3 part",
        found: listed.isEmpty ? "none" : "none of \(listed.joined(separator: " "))",
        remedy: "copy the bag's parts, decompressed, beside metadata.yaml")
    }
    return (bagLayout, stores, warnings)
  }

  /// Names of parts that a bag's metadata mentions, in its order. Only names are looked for: what
  /// else stands in the file does not decide what can be read.
  static func parts(_ metadata: String) throws(RecordingError) -> [String] {
    var names: [String] = []
    for line in try RecordingFile.lines(metadata) {
      let words = line.split { " \t\"'-:".contains($0) && $0 != "-" }
      guard let word = words.last.map(String.init),
        [".mcap", ".db3", ".zstd"].contains(where: word.hasSuffix), !names.contains(word)
      else { continue }
      names.append(RecordingFile.name(word))
    }
    return names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}

extension RecordingOptions {
  /// Messages are lost one by one, and the nearest one left is then exactly a period away: within
  /// the default limit at 10 Hz, yet another frame's. A sensor's limit is therefore three quarters of
  /// its or the trigger's period, whichever is longer, unless limits were given.
  fileprivate func withSensorAges(_ index: RecordingIndex) -> RecordingOptions {
    var options = self
    guard maximumAge == RecordingOptions().maximumAge else { return options }
    // The lower quartile of the steps: the median of a sensor that loses every other sample is two
    // periods.
    func period(_ sensor: IndexedSensor?) -> Int64 {
      let stamps = (sensor?.samples ?? []).map(\.timestampNanoseconds).sorted()
      let steps = zip(stamps.dropFirst(), stamps).map { $0 - $1 }.filter { $0 > 0 }.sorted()
      return steps.isEmpty ? 0 : steps[steps.count / 4]
    }
    let trigger =
      index.sensors.first { $0.name == triggerSensor }
      ?? index.sensors.first { $0.kind == .lidar && !$0.samples.isEmpty }
      ?? index.sensors.first { !$0.samples.isEmpty }
    for sensor in index.sensors where maximumAgeOfSensor[sensor.name] == nil {
      let limit = Duration.nanoseconds(max(period(sensor), period(trigger)) / 4 * 3)
      if limit > .zero, limit < maximumAge { options.maximumAgeOfSensor[sensor.name] = limit }
    }
    return options
  }
}
