import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Features and depth made from pixels and LiDAR points, for recordings without network outputs.
///
/// Features per 16×16-pixel cell: luma, two chroma differences, the constant 1, luma deviation,
/// gradient energy in eight orientations and three luma gradients (channels 0…15; the rest 0).
/// Depth per cell: the histogram of the LiDAR points that project into it at the camera's own time;
/// elsewhere the flat ground; above the horizon nothing (weights 0).
/// It stands in for a network on an accelerator: its time is reported, outside the budget.
public final class BuiltInEncoder: Sendable {
  /// Pixels of the network image along one side of a feature cell.
  public static let stride = 16
  /// Channels the encoder writes; the rest of a feature vector is zero.
  public static let writtenChannelCount = 16

  /// Where one camera's encoding lies in the rig's tensors, overwritten by the next frame.
  struct CameraOutput {
    var rows: Int
    var columns: Int
    /// The camera's first cell among the cells of all cameras.
    var firstCell: Int
    var cellCount: Int { rows * columns }
  }

  let outputs: [CameraOutput]
  /// [camera][y][x][channel], [camera][bin][y][x] and [camera][y][x]: one camera's tensor right
  /// behind the other's, so that projection reads them in place.
  private let features: AlignedBuffer<Float>
  private let depths: AlignedBuffer<Float>
  private let groundDepth: AlignedBuffer<Float>
  private let channelCount: Int
  private let depth: PipelineConfiguration.Depth
  private let set: InstructionSet
  private let pool: WorkerPool
  private let scratch: AlignedBuffer<Float>
  private let scratchPerPart: Int

  /// Buffers for the rig of `frame`; allocates everything `encode` needs.
  public init(
    rig frame: SensorFrame, configuration: PipelineConfiguration, engine: Engine, pool: WorkerPool
  ) {
    channelCount = configuration.channelCount
    depth = configuration.depth
    self.pool = pool
    switch engine {
    // One scalar source: the reference takes the build without any vector flags.
    case .reference: set = .portable
    case .simd(let chosen): set = chosen
    }
    var cellCount = 0
    var outputs: [CameraOutput] = []
    for camera in frame.cameras {
      let output = CameraOutput(
        rows: camera.networkHeightPixels / Self.stride,
        columns: camera.networkWidthPixels / Self.stride, firstCell: cellCount)
      outputs.append(output)
      cellCount += output.cellCount
    }
    self.outputs = outputs
    features = AlignedBuffer(count: cellCount * configuration.channelCount)
    depths = AlignedBuffer(count: cellCount * configuration.depth.binCount)
    groundDepth = AlignedBuffer(count: cellCount)
    scratchPerPart = 18 * 3 * (frame.cameras.map(\.networkWidthPixels).max() ?? 0) + 64
    scratch = AlignedBuffer(count: scratchPerPart * pool.threadCount)
  }

  /// Encodes every valid camera that has an image and no network features, and gives the frame
  /// views of the results. Allocates nothing.
  ///
  /// - Precondition: the frame has the rig's cameras in order, each with the rig's network size.
  public func encode(_ frame: inout SensorFrame) {
    precondition(
      frame.cameras.count == outputs.count,
      "the encoder was made for \(outputs.count) cameras, the frame has \(frame.cameras.count)")
    for index in frame.cameras.indices {
      let camera = frame.cameras[index]
      guard camera.isValid, let image = camera.image else { continue }
      let output = outputs[index]
      if camera.features == nil {
        encodeFeatures(image, camera, output)
        frame.cameras[index].features = unsafe TensorView(
          base: features.pointer + output.firstCell * channelCount, elementType: .float32,
          shape: (output.rows, output.columns, channelCount))
      }
      if camera.depth == nil {
        encodeDepth(frame, camera, output)
        frame.cameras[index].depth = unsafe TensorView(
          base: depths.pointer + output.firstCell * depth.binCount, elementType: .float32,
          shape: (depth.binCount, output.rows, output.columns))
        frame.cameras[index].depthIsLogits = false
      }
    }
  }

  private func encodeFeatures(_ image: ImageView, _ camera: CameraInput, _ output: CameraOutput) {
    let job = unsafe EncodeRowsJob(
      image: image.base, width: image.widthPixels, height: image.heightPixels,
      byteStride: image.byteStride, rawFromNetwork: camera.augmentation.inverseRows,
      networkWidth: camera.networkWidthPixels, networkHeight: camera.networkHeightPixels,
      channels: channelCount, scratch: scratch.pointer, scratchPerPart: scratchPerPart,
      features: features.pointer + output.firstCell * channelCount, set: set)
    unsafe pool.run(job)
  }

  private func encodeDepth(_ frame: SensorFrame, _ camera: CameraInput, _ output: CameraOutput) {
    let weights = unsafe depths.pointer + output.firstCell * depth.binCount
    unsafe weights.update(repeating: 0, count: output.cellCount * depth.binCount)
    groundDepths(camera, output)
    let worldFromCamera = frame.worldFromEgo * camera.keyEgoFromCamera
    let k = camera.intrinsics
    let a = camera.augmentation
    for lidar in frame.lidars where lidar.isValid {
      let cameraFromLidar = worldFromCamera.inverse * lidar.worldFromLidar
      let job = unsafe CountDepthJob(
        points: lidar.points, cameraFromPoints: cameraFromLidar.floatRows,
        pinhole: SIMD4(Float(k.focalX), Float(k.focalY), Float(k.centerX), Float(k.centerY)),
        networkFromRaw: SIMD8(
          Float(a.a00), Float(a.a01), Float(a.tx), Float(a.a10), Float(a.a11), Float(a.ty), 0, 0),
        networkWidth: camera.networkWidthPixels, networkHeight: camera.networkHeightPixels,
        lower: Float(depth.lowerMeters), step: Float(depth.stepMeters), bins: depth.binCount,
        counts: weights, set: set)
      unsafe job.run()
    }
    let cells = output.cellCount
    let (lower, step) = (Float(depth.lowerMeters), Float(depth.stepMeters))
    let ground = unsafe groundDepth.pointer + output.firstCell
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.normalizeDepthEvidence(
        weights, ground, cells, lower, step, depth.binCount)
    case .baseline:
      unsafe SwiftletKernels.normalizeDepthEvidence(
        weights, ground, cells, lower, step, depth.binCount)
    case .avx2:
      unsafe SwiftletKernelsAVX2.normalizeDepthEvidence(
        weights, ground, cells, lower, step, depth.binCount)
    case .avx512:
      unsafe SwiftletKernelsAVX512.normalizeDepthEvidence(
        weights, ground, cells, lower, step, depth.binCount)
    }
  }

  /// Depth along the optical axis of the plane z = 0 of the key ego frame, at cell centres; 0 where
  /// the ray never meets it.
  private func groundDepths(_ camera: CameraInput, _ output: CameraOutput) {
    let egoFromCamera = camera.keyEgoFromCamera
    let k = camera.intrinsics
    for row in 0..<output.rows {
      for column in 0..<output.columns {
        let pixel = camera.augmentation.rawPixel(
          x: (Double(column) + 0.5) * Double(Self.stride) - 0.5,
          y: (Double(row) + 0.5) * Double(Self.stride) - 0.5)
        let ray = SIMD3((pixel.x - k.centerX) / k.focalX, (pixel.y - k.centerY) / k.focalY, 1)
        let slope = (egoFromCamera.rotation.row2 * ray).sum()
        let depth = slope < -1e-6 ? -egoFromCamera.translation.z / slope : 0
        groundDepth[output.firstCell + row * output.columns + column] = Float(max(depth, 0))
      }
    }
  }
}

extension ImageAugmentation {
  /// The raw pixel of a network pixel: A⁻¹ (p' − t).
  func rawPixel(x: Double, y: Double) -> SIMD2<Double> {
    let determinant = a00 * a11 - a01 * a10
    let (dx, dy) = (x - tx, y - ty)
    return SIMD2((a11 * dx - a01 * dy) / determinant, (a00 * dy - a10 * dx) / determinant)
  }
  /// m00 m01 b0 m10 m11 b1 of raw = M · network + b.
  var inverseRows: SIMD8<Float> {
    let determinant = a00 * a11 - a01 * a10
    let origin = rawPixel(x: 0, y: 0)
    return SIMD8(
      Float(a11 / determinant), Float(-a01 / determinant), Float(origin.x),
      Float(-a10 / determinant), Float(a00 / determinant), Float(origin.y), 0, 0)
  }
}

extension RigidTransform {
  /// Rows of [R t] cast once to float32: 12 values, the last four lanes 0.
  var floatRows: SIMD16<Float> {
    let (a, b, c, t) = (rotation.row0, rotation.row1, rotation.row2, translation)
    return SIMD16(
      Float(a.x), Float(a.y), Float(a.z), Float(t.x), Float(b.x), Float(b.y), Float(b.z),
      Float(t.y), Float(c.x), Float(c.y), Float(c.z), Float(t.z), 0, 0, 0, 0)
  }
}
