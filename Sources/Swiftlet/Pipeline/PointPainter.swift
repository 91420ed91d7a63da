/// Early fusion: every LiDAR point takes the features of the image cell it falls on (PointPainting,
/// arXiv 1911.10150), and the LiDAR map gets the mean of its points' features in channels 0 up to
/// where its own begin.
///
/// A point is taken to each camera at that camera's own time; the first camera in the rig's order
/// that sees it paints it, by the feature cell that holds its pixel. Allocates nothing after `init`;
/// sums run in the order of the cloud, so thread count changes no bit.
final class PointPainter {
  private let capacity: Int
  private let paint: AlignedBuffer<Int32>
  private let counts: AlignedBuffer<Float>
  private let cameras: AlignedBuffer<Float>
  private let images: AlignedBuffer<Float>
  private let sizes: AlignedBuffer<Int32>
  private let cameraCount: Int
  private let engine: Engine
  private let pool: WorkerPool

  init(capacity: Int, cellCount: Int, cameraCount: Int, engine: Engine, pool: WorkerPool) {
    self.capacity = capacity
    self.cameraCount = cameraCount
    self.engine = engine
    self.pool = pool
    paint = AlignedBuffer(count: capacity)
    counts = AlignedBuffer(count: cellCount)
    cameras = AlignedBuffer(count: 16 * cameraCount)
    images = AlignedBuffer(count: 8 * cameraCount)
    sizes = AlignedBuffer(count: 3 * cameraCount)
  }

  /// Paints the map that `lidar` has just written.
  ///
  /// - Parameters:
  ///   - points: the cloud that `lidar` took, [point][x y z intensity].
  ///   - inputs: cameras of the frame; those that are not valid paint nothing.
  func paint(
    _ map: AlignedBuffer<Float>, by lidar: LidarBEV, points: PointCloudView,
    cameras inputs: [CameraInput], _ cameraToBEV: CameraToBEV
  ) {
    guard let base = unsafe points.baseAddress, points.count > 0 else { return }
    for index in 0..<cameraCount { set(index, inputs[index], cameraToBEV.layout) }
    var job = unsafe PaintJob(
      set: engine.scalarSet, points: base.assumingMemoryBound(to: Float.self),
      pointCount: min(points.count, capacity), cameras: cameras.pointer, images: images.pointer,
      sizes: sizes.pointer, cameraCount: cameraCount, paint: paint.pointer,
      cells: lidar.cells.pointer, features: cameraToBEV.gatherFloatFeatures(inputs),
      channels: lidar.configuration.channels, painted: lidar.configuration.channelOffset,
      cellCount: lidar.cellCount, counts: counts.pointer, output: map.pointer)
    unsafe pool.run(job)
    unsafe job.isFirstStage = false
    unsafe pool.run(job)
  }

  private func set(_ index: Int, _ camera: CameraInput, _ layout: FrustumLayout) {
    let size = layout.cameras[index]
    sizes[3 * index] = camera.isValid ? Int32(size.featureWidth) : 0
    sizes[3 * index + 1] = Int32(size.featureHeight)
    sizes[3 * index + 2] = Int32(layout.featureStarts[index])
    let rows = camera.keyEgoFromCamera.inverse.floatRows
    for element in 0..<12 { cameras[16 * index + element] = rows[element] }
    let k = camera.intrinsics
    cameras[16 * index + 12] = Float(k.focalX)
    cameras[16 * index + 13] = Float(k.focalY)
    cameras[16 * index + 14] = Float(k.centerX)
    cameras[16 * index + 15] = Float(k.centerY)
    let a = camera.augmentation
    let image: (Double, Double, Double, Double, Double, Double) = (
      a.a00, a.a01, a.tx, a.a10, a.a11, a.ty
    )
    images[8 * index] = Float(image.0)
    images[8 * index + 1] = Float(image.1)
    images[8 * index + 2] = Float(image.2)
    images[8 * index + 3] = Float(image.3)
    images[8 * index + 4] = Float(image.4)
    images[8 * index + 5] = Float(image.5)
    images[8 * index + 6] = Float(camera.networkWidthPixels) / Float(size.featureWidth)
    images[8 * index + 7] = Float(camera.networkHeightPixels) / Float(size.featureHeight)
  }
}
