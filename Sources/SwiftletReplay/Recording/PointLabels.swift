import Swiftlet

/// How a scan's classes are stored beside it, one number a point in the scan's order, and which class
/// of Occ3D each number is.
struct PointLabelFormat: Sendable, Equatable {
  /// Points without a class.
  static let none: UInt8 = 255
  /// 1 (nuScenes-lidarseg), or 4, of which the lower 16 bits are the class (SemanticKITTI).
  var bytesPerPoint: Int
  /// Occ3D's class, 0 to 16, or 255, by stored number; numbers beyond it have none.
  var classes: [UInt8]

  /// One class a point; nil where the bytes are no whole numbers.
  func labels(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count % bytesPerPoint == 0 else { return nil }
    return stride(from: 0, to: bytes.count, by: bytesPerPoint).map { at in
      let number = bytesPerPoint == 1 ? Int(bytes[at]) : Int(bytes[at]) | Int(bytes[at + 1]) << 8
      return classes.indices.contains(number) ? classes[number] : Self.none
    }
  }

  // MARK: nuScenes

  /// From `category.json`: names by their `index`.
  init(nuScenes names: [Int: String]) {
    bytesPerPoint = 1
    classes = (0..<256).map { names[$0].map(Self.nuScenesClass) ?? Self.none }
  }

  /// Occ3D's class of a nuScenes category; noise, the own car and unknown names have none.
  static func nuScenesClass(_ name: String) -> UInt8 {
    switch name {
    case "movable_object.barrier": 1
    case "vehicle.bicycle": 2
    case "vehicle.bus.bendy", "vehicle.bus.rigid": 3
    case "vehicle.car": 4
    case "vehicle.construction": 5
    case "vehicle.motorcycle": 6
    case "human.pedestrian.adult", "human.pedestrian.child", "human.pedestrian.construction_worker",
      "human.pedestrian.police_officer":
      7
    case "movable_object.trafficcone": 8
    case "vehicle.trailer": 9
    case "vehicle.truck": 10
    case "flat.driveable_surface": 11
    case "flat.other": 12
    case "flat.sidewalk": 13
    case "flat.terrain": 14
    case "static.manmade": 15
    case "static.vegetation": 16
    case "animal", "static.other": 0
    default:
      ["human.", "movable_object.", "static_object.", "vehicle.emergency."]
        .contains(where: name.hasPrefix) ? 0 : Self.none
    }
  }

  // MARK: SemanticKITTI

  /// SemanticKITTI's numbers; moving things (252 and above) are what they are.
  static let semanticKITTI: PointLabelFormat = {
    var format = PointLabelFormat(nuScenes: [:])
    format.bytesPerPoint = 4
    format.classes = [UInt8](repeating: none, count: 260)
    let known: [(numbers: [Int], label: UInt8)] = [
      ([16, 20, 99, 256, 259], 0), ([11, 31, 253], 2), ([13, 257], 3), ([10, 252], 4),
      ([15, 32, 255], 6), ([30, 254], 7), ([18, 258], 10), ([40, 44, 60], 11), ([49], 12),
      ([48], 13), ([72], 14), ([50, 51, 52, 80, 81], 15), ([70, 71], 16),
    ]
    for entry in known {
      for number in entry.numbers { format.classes[number] = entry.label }
    }
    return format
  }()
}

extension LidarScan {
  /// Gives the scan its points' classes. Call it before points are left out.
  ///
  /// - Parameter recordedCount: points of the scan's file, those left out included.
  mutating func readLabels(
    _ file: String, _ format: PointLabelFormat, recordedCount: Int
  ) {
    do throws(RecordingError) {
      let bytes = try RecordingFile.read(file)
      guard let found = format.labels(bytes), found.count == recordedCount else {
        throw RecordingError(
          file: file, expected: "\(recordedCount) points of \(format.bytesPerPoint) bytes",
          found: "\(bytes.count) bytes",
          remedy: "copy the labels of this scan; it is used without them")
      }
      labels =
        notFinite.isEmpty
        ? found
        : found.indices.compactMap {
          notFinite.contains($0) ? nil : found[$0]
        }
    } catch {
      problem = problem ?? (ReplayWarning.pointLabelsInvalid, error.description)
    }
  }
}
