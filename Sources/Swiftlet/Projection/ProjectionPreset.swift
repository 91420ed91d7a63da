/// The view transforms of published projects under their names: grid, depth bins, channels, cell
/// rule, output order and test-time image augmentation, so that their tensors and weights drop in.
///
/// All cut toward zero when they form a cell; `floored` is the same grid with the right rule, for
/// those who train their own.
public struct ProjectionPreset: Sendable, Equatable {
  public var name: String
  public var configuration: CameraToBEVConfiguration
  /// What the network sees, pixels.
  public var networkWidthPixels: Int
  public var networkHeightPixels: Int
  public var camera: FrustumLayout.Camera
  /// Raw 1600×900 pixels to network pixels at test time.
  public var augmentation: ImageAugmentation
  /// The frame the published grid lives in: `ego` (x forward) or `lidar` (y forward).
  public var frame: String
  /// Whether cameras are placed where they were at their own time, seen from the ego at the frame's
  /// time (BEVDet and later), or just where they are mounted (LSS).
  public var correctsEgoMotion: Bool
  private let crop: SIMD3<Double>

  private init(
    _ name: String, grid: BEVGrid, depth: (Double, Double, Double), channels: Int,
    order: BEVOrder, image: (Int, Int), stride: Int,
    crop: (resize: Double, left: Double, top: Double), frame: String = "ego",
    correctsEgoMotion: Bool = true
  ) {
    self.name = name
    configuration = CameraToBEVConfiguration(
      grid: grid, depthBins: .uniform(lower: depth.0, upper: depth.1, step: depth.2),
      channels: channels, order: order)
    networkWidthPixels = image.0
    networkHeightPixels = image.1
    camera = FrustumLayout.Camera(featureWidth: image.0 / stride, featureHeight: image.1 / stride)
    augmentation = .resizeCropFlipRotate(
      resize: crop.resize, left: crop.left, top: crop.top, width: Double(image.0),
      height: Double(image.1))
    self.frame = frame
    self.correctsEgoMotion = correctsEgoMotion
    self.crop = SIMD3(crop.resize, crop.left, crop.top)
  }

  /// The test-time augmentation for raw images of any size: the published one for 1600×900, for
  /// others the same width after the resize and the same rows left out below.
  public func augmentation(rawWidthPixels: Int, rawHeightPixels: Int) -> ImageAugmentation {
    let below = (900 * crop.x).rounded(.down) - crop.z - Double(networkHeightPixels)
    let resize = crop.x * 1600 / Double(rawWidthPixels)
    let height = (Double(rawHeightPixels) * resize + 1e-9).rounded(.down)
    return .resizeCropFlipRotate(
      resize: resize, left: crop.y, top: height - below - Double(networkHeightPixels),
      width: Double(networkWidthPixels), height: Double(networkHeightPixels))
  }

  /// This preset with the floor rule: only points inside the bounds are kept.
  public var floored: ProjectionPreset {
    var result = self
    result.name += "-floor"
    result.configuration.cellRule = .floor
    return result
  }

  /// Lift-Splat-Shoot as released: 128×352, stride 16, ±50 m at 0.5 m, one slab; x is slow.
  public static let lss = ProjectionPreset(
    "lss", grid: BEVGrid(x: (-50, 50, 0.5), y: (-50, 50, 0.5), z: (-10, 10, 20)),
    depth: (4, 45, 1), channels: 64, order: .xMajor, image: (352, 128), stride: 16,
    crop: (0.22, 0, 48), correctsEgoMotion: false)
  /// BEVDet-R50 (dev2+): 256×704, stride 16, ±51.2 m at 0.8 m, slab -5…3.
  public static let bevDetR50 = ProjectionPreset(
    "bevdet-r50", grid: BEVGrid(x: (-51.2, 51.2, 0.8), y: (-51.2, 51.2, 0.8), z: (-5, 3, 8)),
    depth: (1, 60, 1), channels: 64, order: .collapsed, image: (704, 256), stride: 16,
    crop: (0.44, 0, 140))
  /// BEVDet with long-term depth: 118 bins, 80 channels.
  public static let bevDetD118 = ProjectionPreset(
    "bevdet-d118", grid: bevDetR50.configuration.grid, depth: (1, 60, 0.5), channels: 80,
    order: .collapsed, image: (704, 256), stride: 16, crop: (0.44, 0, 140))
  /// BEVFusion (MIT), detection: 256×704, stride 8, ±54 m at 0.3 m in the lidar frame; x is slow.
  public static let bevFusion = ProjectionPreset(
    "bevfusion", grid: BEVGrid(x: (-54, 54, 0.3), y: (-54, 54, 0.3), z: (-10, 10, 20)),
    depth: (1, 60, 0.5), channels: 80, order: .xMajor, image: (704, 256), stride: 8,
    crop: (0.48, 32, 176), frame: "lidar")
  /// FlashOcc M0: 44 bins of 1 m, ±40 m at 0.4 m, slab -1…5.4.
  public static let flashOccM0 = ProjectionPreset(
    "flashocc-m0", grid: BEVGrid(x: (-40, 40, 0.4), y: (-40, 40, 0.4), z: (-1, 5.4, 6.4)),
    depth: (1, 45, 1), channels: 64, order: .collapsed, image: (704, 256), stride: 16,
    crop: (0.44, 0, 140))
  /// FlashOcc M1: 88 bins of 0.5 m.
  public static let flashOccM1 = ProjectionPreset(
    "flashocc-m1", grid: flashOccM0.configuration.grid, depth: (1, 45, 0.5), channels: 64,
    order: .collapsed, image: (704, 256), stride: 16, crop: (0.44, 0, 140))
  /// FB-OCC's forward projection: 80 bins, 100×100×8 voxels of 0.8 m, slabs kept.
  public static let fbOcc = ProjectionPreset(
    "fb-occ", grid: BEVGrid(x: (-40, 40, 0.8), y: (-40, 40, 0.8), z: (-1, 5.4, 0.8)),
    depth: (2, 42, 0.5), channels: 80, order: .slabs, image: (704, 256), stride: 16,
    crop: (0.44, 0, 140))

  public static let all = [
    lss, bevDetR50, bevDetD118, bevFusion, flashOccM0, flashOccM1, fbOcc,
  ]

  /// The preset of that name; `-floor` behind a name asks for the floor rule.
  ///
  /// - Throws: `ConfigurationError` for another name.
  public static func named(_ name: String) throws(ConfigurationError) -> ProjectionPreset {
    for preset in all {
      if preset.name == name { return preset }
      if preset.floored.name == name { return preset.floored }
    }
    throw ConfigurationError(
      field: "projection.preset",
      expected: "one of \(all.map(\.name).joined(separator: ", ")), or one with -floor",
      found: name, remedy: "choose one of the listed presets")
  }
}
