/// What a return of the synthetic LiDAR hit; the numbers and names are nuScenes-lidarseg's.
public enum SyntheticLabel: UInt8, Sendable, CaseIterable {
  case pedestrian = 2
  case car = 17
  case van = 23
  case driveableSurface = 24
  case sidewalk = 26
  case manmade = 28
  case vegetation = 30

  /// The category's name; those of things are their annotations'.
  var name: String {
    switch self {
    case .pedestrian: SyntheticCategory.pedestrian.rawValue
    case .car: SyntheticCategory.car.rawValue
    case .van: SyntheticCategory.van.rawValue
    case .driveableSurface: "flat.driveable_surface"
    case .sidewalk: "flat.sidewalk"
    case .manmade: "static.manmade"
    case .vegetation: "static.vegetation"
    }
  }

  init(_ category: SyntheticCategory) {
    switch category {
    case .car: self = .car
    case .van: self = .van
    case .pedestrian: self = .pedestrian
    }
  }

  /// Of what belongs to no object.
  init(_ material: SceneMaterial) {
    switch material {
    case .road: self = .driveableSurface
    case .sidewalk: self = .sidewalk
    case .facade, .trim, .balcony, .awning, .pole, .lamp, .sign, .bin: self = .manmade
    case .trunk, .leaves: self = .vegetation
    case .carBody, .carCabin, .wheel: self = .car
    case .vanBody: self = .van
    case .clothes, .trousers, .skin: self = .pedestrian
    }
  }
}
