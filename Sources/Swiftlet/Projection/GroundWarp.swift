/// A plane of the ego frame: z = slopeX · x + slopeY · y + height.
public struct GroundPlane: Sendable, Equatable {
  public var slopeX: Double
  public var slopeY: Double
  public var heightMeters: Double
  public init(slopeX: Double = 0, slopeY: Double = 0, heightMeters: Double) {
    self.slopeX = slopeX
    self.slopeY = slopeY
    self.heightMeters = heightMeters
  }
}

/// One camera of an inverse perspective mapping.
public struct GroundCamera: Sendable, Equatable {
  public var intrinsics: CameraIntrinsics
  public var egoFromCamera: RigidTransform
  /// The nearest depth (camera z) that counts as seen, metres.
  public var nearMeters: Double
  /// The largest undistorted radius √(x² + y²)/z, for a fisheye the largest angle in radians:
  /// beyond it the lens polynomial folds back into the image. See `LensModel.monotonicLimit`.
  public var limit: Double

  public init(
    intrinsics: CameraIntrinsics, egoFromCamera: RigidTransform, nearMeters: Double = 0.1,
    limit: Double? = nil
  ) {
    self.intrinsics = intrinsics
    self.egoFromCamera = egoFromCamera
    self.nearMeters = nearMeters
    self.limit = limit ?? intrinsics.lens.monotonicLimit
  }

  /// (x, y, 1) on the plane to (u, v, 1) up to scale: K [r1 r2 r3 z + t] of camera from ego. Without
  /// distortion, for a level plane.
  public func homography(groundZ: Double) -> Matrix3 {
    let view = egoFromCamera.inverse
    let r = view.rotation
    let t = view.translation
    let columns = Matrix3(
      SIMD3(r.row0.x, r.row0.y, r.row0.z * groundZ + t.x),
      SIMD3(r.row1.x, r.row1.y, r.row1.z * groundZ + t.y),
      SIMD3(r.row2.x, r.row2.y, r.row2.z * groundZ + t.z))
    return intrinsics.matrix * columns
  }
}

/// How the cameras that see a cell share it.
public enum GroundBlend: String, Sendable, CaseIterable {
  /// Their mean.
  case mean
  /// Weights that fall towards the image's border over a tenth of its width, so that no edge of an
  /// image shows in the map.
  case feathered
}

/// Inverse perspective mapping: raw RGB images of any lens to one colour image of the ground,
/// blended where cameras overlap.
///
/// Row iy, column ix has its centre at x = lower.x + (ix + 1/2) step.x, y likewise. Calibration goes
/// into tables of bilinear taps (made by `setCameras`, which allocates); a frame only samples.
public final class GroundWarp {
  public let width: Int
  public let height: Int
  public let lowerMeters: SIMD2<Double>
  public let stepMeters: SIMD2<Double>
  public let plane: GroundPlane
  public let blend: GroundBlend
  public let engine: Engine
  let pool: WorkerPool
  /// [y][x][rgb], 0…255; 0 where no camera sees the cell.
  public let colors: AlignedBuffer<Float>
  /// [y][x]: how many cameras were averaged.
  public let counts: AlignedBuffer<Int32>
  public private(set) var cameras: [GroundCamera] = []
  /// Pixel of every [camera][y][x]; u is -1 where the camera does not see the cell.
  private(set) var pixelsU: [Double] = []
  private(set) var pixelsV: [Double] = []
  private(set) var table = GroundTable()
  private let images = AlignedBuffer<UInt>(count: 16)
  private let strides = AlignedBuffer<Int32>(count: 16)

  public init(
    width: Int, height: Int, lowerMeters: SIMD2<Double>, stepMeters: SIMD2<Double>,
    plane: GroundPlane, blend: GroundBlend = .mean, engine: Engine, pool: WorkerPool
  ) {
    precondition(width > 0 && height > 0, "a map of \(width)×\(height) is empty")
    self.width = width
    self.height = height
    self.lowerMeters = lowerMeters
    self.stepMeters = stepMeters
    self.plane = plane
    self.blend = blend
    self.engine = engine
    self.pool = pool
    colors = AlignedBuffer(count: 3 * width * height)
    counts = AlignedBuffer(count: width * height)
  }

  /// Takes over the calibration of 1 to 16 cameras; returns at once when it is exactly the present
  /// one. Images must be 2×2 to 32767×32767 pixels.
  public func setCameras(_ newCameras: [GroundCamera]) {
    precondition(
      (1...16).contains(newCameras.count), "\(newCameras.count) cameras; 1 to 16 are possible")
    for camera in newCameras {
      let size = (camera.intrinsics.widthPixels, camera.intrinsics.heightPixels)
      precondition(
        (2...32767).contains(size.0) && (2...32767).contains(size.1),
        "an image of \(size.0)×\(size.1) pixels; 2 to 32767 are possible")
    }
    if newCameras == cameras { return }
    cameras = newCameras
    let cells = width * height
    pixelsU = Array(repeating: -1, count: cells * cameras.count)
    pixelsV = pixelsU
    for (index, camera) in cameras.enumerated() {
      for row in 0..<height { findPixels(camera, row, index * cells + row * width) }
    }
    table = GroundTable(self)
  }

  /// What a camera weighs in a cell that it sees at a pixel.
  func weight(_ camera: Int, _ u: Double, _ v: Double) -> Float {
    guard blend == .feathered else { return 1 }
    let size = cameras[camera].intrinsics
    let border = min(
      min(u, Double(size.widthPixels - 1) - u), min(v, Double(size.heightPixels - 1) - v))
    return Float(min(1, max(1e-3, 10 * border / Double(size.widthPixels))))
  }

  /// Whether camera `index` sees each cell, [y][x]; allocates.
  public func visibility(camera index: Int) -> [UInt8] {
    (0..<(width * height)).map { pixelsU[index * width * height + $0] >= 0 ? 1 : 0 }
  }

  /// Blends one image per camera (nil: missing in this frame) into `colors` and `counts`.
  /// Allocates nothing.
  ///
  /// - Throws: `InputError` when an image has another size than its calibration.
  public func warp(_ frames: [ImageView?]) throws(InputError) {
    precondition(
      frames.count == cameras.count, "\(frames.count) images for \(cameras.count) cameras")
    for index in frames.indices {
      images[index] = 0
      guard let image = frames[index] else { continue }
      let size = cameras[index].intrinsics
      guard image.widthPixels == size.widthPixels, image.heightPixels == size.heightPixels else {
        throw InputError(
          input: "image of camera \(index)",
          expected: "\(size.widthPixels)×\(size.heightPixels) pixels",
          found: "\(image.widthPixels)×\(image.heightPixels)",
          remedy: "hand over the image the calibration is for")
      }
      images[index] = unsafe UInt(bitPattern: image.baseAddress)
      strides[index] = Int32(image.byteStride)
    }
    switch engine {
    case .reference: warpReference(frames)
    case .simd(let set):
      unsafe pool.run(
        GroundJob(
          set: set, starts: table.starts.pointer, cameras: table.cameras.pointer,
          pixels: table.pixels.pointer, fractionsX: table.fractionsX.pointer,
          fractionsY: table.fractionsY.pointer,
          weights: blend == .mean ? nil : UnsafePointer(table.weights.pointer), images: images.pointer, strides: strides.pointer,
          blocksPerRow: table.blocksPerRow, width: width, height: height,
          colors: colors.pointer, counts: counts.pointer))
    }
  }

  private func findPixels(_ camera: GroundCamera, _ row: Int, _ first: Int) {
    switch engine {
    case .reference:
      for column in 0..<width {
        let pixel = pixelReference(camera, column, row)
        pixelsU[first + column] = pixel.x
        pixelsV[first + column] = pixel.y
      }
    case .simd(let set):
      let view = camera.egoFromCamera.inverse
      let viewRows = Array(
        AffineTransform(linear: view.rotation, translation: view.translation).rowMajor3x4)
      let bounds = [
        plane.slopeX, plane.slopeY, plane.heightMeters, camera.nearMeters, camera.limit,
        Double(camera.intrinsics.widthPixels - 1), Double(camera.intrinsics.heightPixels - 1),
        lowerMeters.y + (Double(row) + 0.5) * stepMeters.y, lowerMeters.x + 0.5 * stepMeters.x,
        stepMeters.x,
      ]
      let u = AlignedBuffer<Double>(count: width + 8)
      let v = AlignedBuffer<Double>(count: width + 8)
      unsafe ProjectionKernels.groundPixels(
        set, camera.intrinsics.kernelParameters, viewRows, bounds,
        camera.intrinsics.lens.kernelKind, width, u.pointer, v.pointer)
      for column in 0..<width {
        pixelsU[first + column] = u[column]
        pixelsV[first + column] = v[column]
      }
    }
  }
}

@safe struct GroundJob: PartitionedJob {
  var set: InstructionSet
  var starts: UnsafeMutablePointer<Int32>
  var cameras: UnsafeMutablePointer<Int32>
  var pixels: UnsafeMutablePointer<Int32>
  var fractionsX: UnsafeMutablePointer<Float>
  var fractionsY: UnsafeMutablePointer<Float>
  var weights: UnsafePointer<Float>?
  var images: UnsafeMutablePointer<UInt>
  var strides: UnsafeMutablePointer<Int32>
  var blocksPerRow: Int
  var width: Int
  var height: Int
  var colors: UnsafeMutablePointer<Float>
  var counts: UnsafeMutablePointer<Int32>
  func run(part: Int, of parts: Int) {
    let blocks = partition(blocksPerRow * height, part: part, of: parts)
    unsafe ProjectionKernels.blendGround(
      set, starts, cameras, pixels, fractionsX, fractionsY, weights, images, strides,
      blocksPerRow, width, blocks.lowerBound, blocks.upperBound, colors, counts)
  }
}
