import Swiftlet

extension FrameWorld {
  /// Renders one camera at its own time: one ray through each pixel's centre, three more where
  /// neighbours see different things. The rays of every fourth pixel are added to `beams`.
  func render(
    _ camera: SyntheticRig.Camera, beams: inout [LidarSweep.Beam]
  ) -> SyntheticFrame.CameraSample {
    let time = drive.timestampMicroseconds(ofFrame: index, camera: camera)
    let eye = CameraEye(world: self, camera: camera, microseconds: time)
    let width = camera.intrinsics.widthPixels
    let height = camera.intrinsics.heightPixels
    var colors = [SIMD3<Float>](repeating: .zero, count: width * height)
    var seen = [Int32](repeating: -2, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let ray = eye.ray(Double(x), Double(y))
        let pixel = renderer.color(ray)
        if x % 4 == 0 && y % 4 == 0 {
          let reach = min(pixel.distance, SceneRenderer.sightMeters)
          beams.append(
            LidarSweep.Beam(
              origin: ray.origin, end: ray.origin + ray.direction * reach,
              hits: pixel.primitive > -2))
        }
        colors[y * width + x] = pixel.color
        seen[y * width + x] = pixel.primitive
      }
    }
    var image = RGBImage(widthPixels: width, heightPixels: height)
    for y in 0..<height {
      for x in 0..<width {
        let place = y * width + x
        var color = colors[place]
        let isEdge =
          (x > 0 && seen[place - 1] != seen[place])
          || (y > 0 && seen[place - width] != seen[place])
        if isEdge { color = smoothed(color, eye, x, y) }
        let shown = SceneRenderer.display(color)
        image.pixels[3 * place] = shown.x
        image.pixels[3 * place + 1] = shown.y
        image.pixels[3 * place + 2] = shown.z
      }
    }
    return SyntheticFrame.CameraSample(
      name: camera.name, timestampMicroseconds: time,
      worldFromEgo: drive.worldFromEgo(atMicroseconds: time), image: image)
  }

  private func smoothed(
    _ middle: SIMD3<Float>, _ eye: CameraEye, _ x: Int, _ y: Int
  ) -> SIMD3<Float> {
    var sum = middle
    for (dx, dy) in [(-0.33, -0.2), (0.33, -0.33), (0.05, 0.36)] {
      sum += renderer.color(eye.ray(Double(x) + dx, Double(y) + dy)).color
    }
    return sum / 4
  }
}

/// A camera at its own time in snapshot coordinates.
struct CameraEye {
  private let snapshotFromCamera: RigidTransform
  private let intrinsics: CameraIntrinsics
  private let world: FrameWorld
  private let offset: Double

  init(world: FrameWorld, camera: SyntheticRig.Camera, microseconds: Int64) {
    self.world = world
    intrinsics = camera.intrinsics
    offset = Double(microseconds - world.timestamp) * 1e-6
    snapshotFromCamera =
      world.snapshotFromEgo(seconds: SyntheticDrive.seconds(microseconds)) * camera.egoFromCamera
  }
  /// The ray through pixel coordinates; pixel centres are integers.
  func ray(_ u: Double, _ v: Double) -> SceneRay {
    let direction = SIMD3(
      (u - intrinsics.centerX) / intrinsics.focalX, (v - intrinsics.centerY) / intrinsics.focalY,
      1)
    return world.ray(
      origin: snapshotFromCamera.translation,
      direction: snapshotFromCamera.rotation * direction, offset: offset)
  }
}
