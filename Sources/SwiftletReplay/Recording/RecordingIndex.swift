import Swiftlet

/// What a sensor's calibration file or record gave.
struct SensorCalibration: Sendable {
  var egoFromSensor: RigidTransform
  /// Cameras only.
  var intrinsics: CameraIntrinsics?
}

/// One recorded image or scan, not yet read.
struct IndexedSample: Sendable {
  var timestampNanoseconds: Int64
  /// A file's path, or the container's path for records inside one.
  var file: String
  /// The name of network outputs for this sample: the file's name without extensions.
  var outputName: String
  /// The file of a scan's classes, one a point; nil where there is none or they are not asked for.
  var labelFile: String?
  /// The record inside a container; unused for plain files.
  var record = 0
  /// The ego pose stored for this very sample; nil: looked up in the track.
  var worldFromEgo: RigidTransform?
  /// Index into the sensor's calibrations; nil: it has none.
  var calibration: Int?
  var isPresent = true
}

/// What times a recording may hold.
enum RecordingTime {
  /// The year 2096: twice this still fits an Int64.
  static let maximumNanoseconds: Int64 = 4_000_000_000_000_000_000

  static func isPlausible(_ nanoseconds: Int64) -> Bool {
    (-maximumNanoseconds...maximumNanoseconds).contains(nanoseconds)
  }
}

/// Why no frame can use a sensor.
struct SensorProblem: Sendable {
  /// A warning's code.
  var code: String
  var message: String

  init(code: String, message: String) {
    self.code = code
    self.message = message
  }
  /// What reading a calibration gave instead of one: nothing there, or something unusable.
  init(_ error: RecordingError) {
    let isAbsent = ["nothing there", "no such key", "none"].contains(error.found)
    self.init(
      code: isAbsent ? ReplayWarning.calibrationMissing : ReplayWarning.calibrationInvalid,
      message: error.description)
  }
}

/// One sensor of the rig with its samples in time order.
struct IndexedSensor: Sendable {
  var name: String
  var kind: SensorDescription.Kind
  var calibrations: [SensorCalibration] = []
  /// Why the sensor cannot be used at all, where it cannot.
  var problem: SensorProblem?
  var samples: [IndexedSample] = []
  var points = PointFormat.xyzIntensity
  /// How label files are to be read.
  var labels: PointLabelFormat?

  /// Sorts samples by time, the recording's order kept for equal times. Times that no clock shows
  /// are left out, so that differences of times cannot overflow anywhere.
  ///
  /// - Returns: how many were left out.
  mutating func sortSamples() -> Int {
    let found = samples.count
    samples.removeAll { !RecordingTime.isPlausible($0.timestampNanoseconds) }
    defer { sortByTime() }
    return found - samples.count
  }
  private mutating func sortByTime() {
    let order = samples.indices.sorted {
      (samples[$0].timestampNanoseconds, $0) < (samples[$1].timestampNanoseconds, $1)
    }
    samples = order.map { samples[$0] }
  }
}

/// All that opening a recording finds out; the data itself stays on disk.
struct RecordingIndex: Sendable {
  var layout: String
  var path: String
  var name: String
  /// Cameras in the rig's order, then LiDARs.
  var sensors: [IndexedSensor]
  var poses: PoseTrack
  /// False where the recording has no ego poses at all: every frame stands for itself.
  var hasPoses: Bool
  var warnings: [ReplayWarning]
  /// The folder that may hold `network_outputs`.
  var outputRoot: String?
  /// Points on the own car that the layout's recordings contain.
  var egoBodyBox: EgoBodyBox?
}

/// Reads what an index points at.
protocol SampleReader: Sendable {
  /// The encoded image.
  func readImage(_ sensor: IndexedSensor, _ sample: IndexedSample) throws(RecordingError) -> [UInt8]
  func readScan(_ sensor: IndexedSensor, _ sample: IndexedSample) throws(RecordingError) -> LidarScan
}

/// Samples that are files of their own.
struct FileSampleReader: SampleReader {
  func readImage(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> [UInt8] {
    try RecordingFile.read(sample.file)
  }
  func readScan(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> LidarScan {
    let bytes = try RecordingFile.read(sample.file)
    var scan = LidarScan(bytes: bytes, format: sensor.points, file: sample.file)
    if let file = sample.labelFile, let format = sensor.labels {
      scan.readLabels(
        file, format, recordedCount: bytes.count / (4 * sensor.points.fieldCount))
    }
    return scan
  }
}
