import Swiftlet

/// Gives a frame's cameras the feature and depth tensors a view transform wants: the recording's
/// network outputs where it has them, else the built-in encoder's at the view transform's sizes.
public final class PresetInputs {
  /// What the network would see and what it would hand over.
  public struct Shape: Sendable {
    public var networkWidthPixels: Int
    public var networkHeightPixels: Int
    public var camera: FrustumLayout.Camera
    public var channels: Int
    public var depthBins: DepthBins
    /// Raw size to augmentation.
    public var augmentation: @Sendable (_ width: Int, _ height: Int) -> ImageAugmentation

    public init(_ preset: ProjectionPreset) {
      networkWidthPixels = preset.networkWidthPixels
      networkHeightPixels = preset.networkHeightPixels
      camera = preset.camera
      channels = preset.configuration.channels
      depthBins = preset.configuration.depthBins
      augmentation = { preset.augmentation(rawWidthPixels: $0, rawHeightPixels: $1) }
    }

    /// A pull's: the image resized to the network's width, its lower rows kept.
    public init(width: Int, height: Int, stride: Int, channels: Int) {
      networkWidthPixels = width
      networkHeightPixels = height
      camera = FrustumLayout.Camera(featureWidth: width / stride, featureHeight: height / stride)
      self.channels = channels
      depthBins = .uniform(lower: 1, upper: 2, step: 1)
      augmentation = { rawWidth, rawHeight in
        let resize = Double(width) / Double(rawWidth)
        let resized = (Double(rawHeight) * resize).rounded(.down)
        return .resizeCropFlipRotate(
          resize: resize, left: 0, top: resized - Double(height), width: Double(width),
          height: Double(height))
      }
    }
  }

  public let shape: Shape
  private let encoder: BuiltInEncoder
  /// The encoder's stride is fixed, so it sees the network's image this much enlarged.
  private let scale: Double

  public init(_ shape: Shape, rig frame: SensorFrame, engine: Engine, pool: WorkerPool) {
    self.shape = shape
    scale =
      Double(BuiltInEncoder.stride * shape.camera.featureWidth) / Double(shape.networkWidthPixels)
    var configuration = PipelineConfiguration()
    configuration.channelCount = shape.channels
    let bins = shape.depthBins.values.map(Double.init)
    let step = bins.count > 1 ? bins[1] - bins[0] : 1
    configuration.depth.lowerMeters = bins[0]
    configuration.depth.stepMeters = step
    configuration.depth.upperMeters = bins[0] + step * Double(bins.count)
    var enlarged = frame
    for index in enlarged.cameras.indices { Self.enlarge(&enlarged.cameras[index], shape, scale) }
    encoder = BuiltInEncoder(
      rig: enlarged, configuration: configuration, engine: engine, pool: pool)
  }

  private static func enlarge(_ camera: inout CameraInput, _ shape: Shape, _ scale: Double) {
    camera.networkWidthPixels = shape.camera.featureWidth * BuiltInEncoder.stride
    camera.networkHeightPixels = shape.camera.featureHeight * BuiltInEncoder.stride
    camera.augmentation = shape.augmentation(
      camera.intrinsics.widthPixels, camera.intrinsics.heightPixels
    ).resized(by: scale)
  }

  /// Fills in what is missing; true where the built-in encoder made something. The tensors are
  /// valid until the next call.
  public func fill(_ frame: inout SensorFrame) -> Bool {
    var isBuiltIn = false
    var enlarged = frame
    for index in enlarged.cameras.indices where frame.cameras[index].features == nil {
      Self.enlarge(&enlarged.cameras[index], shape, scale)
      isBuiltIn = isBuiltIn || (frame.cameras[index].isValid && frame.cameras[index].image != nil)
    }
    encoder.encode(&enlarged)
    for index in frame.cameras.indices {
      let isRecorded = frame.cameras[index].features != nil
      frame.cameras[index].features = enlarged.cameras[index].features
      frame.cameras[index].depth = enlarged.cameras[index].depth
      frame.cameras[index].depthIsLogits = enlarged.cameras[index].depthIsLogits
      if isRecorded { continue }
      frame.cameras[index].networkWidthPixels = shape.networkWidthPixels
      frame.cameras[index].networkHeightPixels = shape.networkHeightPixels
      frame.cameras[index].augmentation = shape.augmentation(
        frame.cameras[index].intrinsics.widthPixels, frame.cameras[index].intrinsics.heightPixels)
    }
    return isBuiltIn
  }
}
