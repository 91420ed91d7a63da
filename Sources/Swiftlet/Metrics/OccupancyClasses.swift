/// The label set of an occupancy benchmark: names in label order, which label means free, and which
/// classes move (mAVE averages over these).
public struct OccupancyClasses: Sendable, Equatable {
  /// The set's name in reports: `occ3d`, `openocc` or `custom`.
  public let setName: String
  public let names: [String]
  public let freeClass: Int
  public let movingClasses: [Int]

  public var count: Int { names.count }
  /// Every class but free, in label order.
  public var occupiedClasses: [Int] { names.indices.filter { $0 != freeClass } }

  private init(setName: String, names: [String], moving: Set<String>) {
    self.setName = setName
    self.names = names
    freeClass = names.count - 1
    movingClasses = names.indices.filter { moving.contains(names[$0]) }
  }

  /// `count` classes named by their label.
  ///
  /// - Throws: `InputError` unless 2...255 classes and the free class is one of them (255 marks
  ///   ignored voxels).
  public init(count: Int, freeClass: Int, movingClasses: [Int] = []) throws(InputError) {
    guard (2...255).contains(count) else {
      throw InputError(
        input: "class count", expected: "2 to 255", found: "\(count)",
        remedy: "count every class, free included")
    }
    let wrong = ([freeClass] + movingClasses).first { !(0..<count).contains($0) }
    if let wrong {
      throw InputError(
        input: "free or moving class", expected: "a label below \(count)", found: "\(wrong)",
        remedy: "name a label of the set")
    }
    setName = "custom"
    names = (0..<count).map { $0 == freeClass ? "free" : "class \($0)" }
    self.freeClass = freeClass
    self.movingClasses = movingClasses.sorted()
  }

  private static let moving: Set<String> = [
    "car", "truck", "trailer", "bus", "construction_vehicle", "bicycle", "motorcycle", "pedestrian",
  ]
  /// Occ3D-nuScenes: 18 labels, 17 = free.
  public static let occ3d = OccupancyClasses(
    setName: "occ3d",
    names: [
      "others", "barrier", "bicycle", "bus", "car", "construction_vehicle", "motorcycle",
      "pedestrian", "traffic_cone", "trailer", "truck", "driveable_surface", "other_flat",
      "sidewalk", "terrain", "manmade", "vegetation", "free",
    ], moving: moving)
  /// OpenOcc (the CVPR 2024 occupancy and flow challenge): 17 labels, 16 = free.
  public static let openOcc = OccupancyClasses(
    setName: "openocc",
    names: [
      "car", "truck", "trailer", "bus", "construction_vehicle", "bicycle", "motorcycle",
      "pedestrian", "traffic_cone", "barrier", "driveable_surface", "other_flat", "sidewalk",
      "terrain", "manmade", "vegetation", "free",
    ], moving: moving)
}
