import Swiftlet

/// A camera image with what the map holds drawn into it: occupied voxels as translucent cubes and,
/// where wanted, LiDAR points, coloured by distance.
public struct CameraOverlay: Sendable {
  /// Camera coordinates (x right, y down, z forward, metres) to pixels; nil where the lens sees
  /// nothing.
  public typealias Projection = @Sendable (SIMD3<Double>) -> SIMD2<Double>?

  public var image: RGBImage
  /// Camera at its own time to ego at the frame's time.
  public var keyEgoFromCamera: RigidTransform
  public var projection: Projection
  /// Colours run from near to this far.
  public var farMeters: Float = 50
  public var name: String

  /// - Parameter intrinsics: of the image. A lens other than a pinhole needs `projection`.
  public init(
    image: RGBImage, intrinsics: CameraIntrinsics, keyEgoFromCamera: RigidTransform,
    name: String = "", projection: Projection? = nil
  ) {
    self.image = image
    self.keyEgoFromCamera = keyEgoFromCamera
    self.name = name
    self.projection =
      projection ?? { point in
        guard point.z > 1e-6 else { return nil }
        return SIMD2(
          intrinsics.focalX * point.x / point.z + intrinsics.centerX,
          intrinsics.focalY * point.y / point.z + intrinsics.centerY)
      }
  }

  /// Draws voxels, then points.
  ///
  /// - Parameters:
  ///   - voxels: middles of occupied voxels in the key ego frame.
  ///   - points: in the key ego frame.
  public func draw(
    voxels: [SIMD3<Float>] = [], voxelSizeMeters: Float = 0.4, points: [SIMD3<Float>] = []
  ) -> RGBImage {
    var canvas = Canvas(image)
    drawVoxels(voxels, size: voxelSizeMeters, on: &canvas)
    drawPoints(points, on: &canvas)
    if !name.isEmpty { canvas.label(name, x: 0, y: 0, scale: max(1, image.widthPixels / 500)) }
    return canvas.image
  }

  /// Pixel of a key-ego position with its depth along the optical axis; nil behind the camera.
  /// Pixel centres are integers.
  public func pixel(_ position: SIMD3<Float>) -> (place: SIMD2<Double>, depth: Double)? {
    let inCamera = keyEgoFromCamera.inverse * SIMD3<Double>(position)
    guard inCamera.z > 0.1, let place = projection(inCamera) else { return nil }
    return (place, inCamera.z)
  }

  private func color(_ distance: Float) -> PictureColor {
    // Near is warm, far is cold; square root because most things are near.
    ColorMap.turbo.color(0.92 - 0.84 * min(1, distance / farMeters).squareRoot())
  }

  private func drawPoints(_ points: [SIMD3<Float>], on canvas: inout Canvas) {
    let cameraFromEgo = keyEgoFromCamera.inverse
    let reach = image.widthPixels / 700
    for point in points {
      let inCamera = cameraFromEgo * SIMD3<Double>(point)
      guard inCamera.z > 0.5, let place = projection(inCamera) else { continue }
      guard place.x > -2, place.y > -2, place.x < Double(image.widthPixels) + 2,
        place.y < Double(image.heightPixels) + 2
      else { continue }
      let x = Int((place.x + 0.5).rounded(.down))
      let y = Int((place.y + 0.5).rounded(.down))
      canvas.fillRectangle(
        x: x - reach, y: y - reach, width: 2 * reach + 1, height: 2 * reach + 1,
        color: color(Float((inCamera * inCamera).sum().squareRoot())))
    }
  }
}

// MARK: Cubes

extension CameraOverlay {
  /// A cube's corners are numbered by bits: x, y, z. Faces with their outward axis and corners in
  /// order around them.
  private static let faces: [(axis: Int, isHigh: Bool, corners: [Int], shade: Float)] = [
    (2, true, [4, 5, 7, 6], 1.0), (2, false, [0, 1, 3, 2], 0.5),
    (0, true, [1, 3, 7, 5], 0.8), (0, false, [0, 2, 6, 4], 0.8),
    (1, true, [2, 3, 7, 6], 0.65), (1, false, [0, 1, 5, 4], 0.65),
  ]

  /// Far to near into a layer of its own, so that nearer cubes hide farther ones, then the layer is
  /// laid over the image: 45 % colour, edges stronger.
  private func drawVoxels(_ voxels: [SIMD3<Float>], size: Float, on canvas: inout Canvas) {
    let cameraFromEgo = keyEgoFromCamera.inverse
    let eye = SIMD3<Float>(keyEgoFromCamera.translation)
    var visible: [(center: SIMD3<Float>, distance: Float)] = []
    for center in voxels {
      let inCamera = cameraFromEgo * SIMD3<Double>(center)
      guard inCamera.z > 0.6 else { continue }
      let offset = center - eye
      visible.append((center, (offset * offset).sum().squareRoot()))
    }
    visible.sort { $0.distance > $1.distance }
    var layer = Canvas(widthPixels: canvas.widthPixels, heightPixels: canvas.heightPixels)
    for voxel in visible {
      drawCube(voxel.center, size: size, distance: voxel.distance, eye: eye, cameraFromEgo, &layer)
    }
    for y in 0..<canvas.heightPixels {
      for x in 0..<canvas.widthPixels {
        let above = layer.color(x: x, y: y)
        if above != .black { canvas.set(x: x, y: y, above, alpha: 0.45) }
      }
    }
  }

  private func drawCube(
    _ center: SIMD3<Float>, size: Float, distance: Float, eye: SIMD3<Float>,
    _ cameraFromEgo: RigidTransform, _ layer: inout Canvas
  ) {
    var corners: [SIMD2<Float>] = []
    for corner in 0..<8 {
      let offset = SIMD3<Float>(
        corner & 1 == 0 ? -1 : 1, corner & 2 == 0 ? -1 : 1, corner & 4 == 0 ? -1 : 1)
      let inCamera = cameraFromEgo * SIMD3<Double>(center + offset * (size / 2))
      guard inCamera.z > 0.15, let place = projection(inCamera) else { return }
      // Polygons are in continuous coordinates, where a pixel's centre is at +0.5.
      corners.append(SIMD2<Float>(SIMD2(place.x + 0.5, place.y + 0.5)))
    }
    let left = corners.map(\.x).min() ?? 0
    let right = corners.map(\.x).max() ?? 0
    guard right > 0, left < Float(layer.widthPixels) else { return }
    let base = color(distance)
    for face in Self.faces {
      let surface = center[face.axis] + (face.isHigh ? size / 2 : -size / 2)
      let isSeen =
        face.isHigh ? eye[face.axis] > surface : eye[face.axis] < surface
      guard isSeen else { continue }
      let outline = face.corners.map { corners[$0] }
      layer.fillConvexPolygon(outline, color: base.scaled(face.shade))
      guard right - left > 9 else { continue }
      for (index, corner) in outline.enumerated() {
        layer.line(
          from: corner, to: outline[(index + 1) % 4], color: base.scaled(face.shade * 0.55))
      }
    }
  }
}
