import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// A drive small enough for debug builds.
enum TinyDrive {
  static func options(
    seed: UInt64 = 3, raw: Bool = false, fault: SyntheticCalibrationFault? = nil
  ) -> SyntheticDriveOptions {
    SyntheticDriveOptions(
      seed: seed, imageWidthPixels: 88, imageHeightPixels: 32, lidarAzimuthCount: 96,
      writesRawSweep: raw, calibrationFault: fault)
  }
  static func make(_ options: SyntheticDriveOptions = options()) throws -> SyntheticDrive {
    try SyntheticDrive(options: options)
  }
  static let frame = Result { try make().frame(1) }
}

struct SyntheticDriveTests {
  @Test("Settings that make no drive are errors that name them")
  func badOptions() {
    #expect(throws: ConfigurationError.self) {
      try SyntheticDrive(options: SyntheticDriveOptions(framesPerSecond: 0))
    }
    #expect(throws: ConfigurationError.self) {
      try SyntheticDrive(options: SyntheticDriveOptions(imageWidthPixels: 3))
    }
  }

  @Test("Cameras fire within the revolution, in the order the beam passes them")
  func firingOrder() throws {
    let drive = try TinyDrive.make()
    let times = Dictionary(
      uniqueKeysWithValues: drive.rig.cameras.map {
        ($0.name, drive.timestampMicroseconds(ofFrame: 2, camera: $0))
      })
    let order = [
      "CAM_FRONT_LEFT", "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_RIGHT", "CAM_BACK",
      "CAM_BACK_LEFT",
    ]
    let inOrder = order.compactMap { times[$0] }
    #expect(inOrder == inOrder.sorted() && Set(inOrder).count == 6)
    let stamp = drive.timestampMicroseconds(ofFrame: 2)
    #expect(inOrder.allSatisfy { $0 <= stamp && $0 >= stamp - 50_000 })
    #expect(stamp == SyntheticDrive.epochMicroseconds + 200_000)
  }

  @Test("The beam points along a camera's axis when that camera fires")
  func beamMeetsCamera() throws {
    let drive = try TinyDrive.make()
    for camera in drive.rig.cameras {
      let azimuth =
        (1 - camera.firingFraction) * Double(drive.rig.lidar.azimuthCount) - 1
      let direction = drive.rig.direction(azimuth: Int(azimuth.rounded()), beam: 40)
      let beam = drive.rig.lidar.egoFromLidar.rotation * direction
      let axis = camera.egoFromCamera.rotation * SIMD3(0, 0, 1)
      let angle = atan2(beam.y, beam.x) - atan2(axis.y, axis.x)
      let wrapped = atan2(sin(angle), cos(angle)) * 180 / .pi
      #expect(abs(wrapped) < 4, "\(camera.name): \(wrapped)°")
    }
  }

  @Test("A pixel's ray leads back to the pixel through the recorded poses and calibration")
  func pixelRoundTrip() throws {
    let drive = try TinyDrive.make()
    let world = FrameWorld(drive: drive, index: 1)
    for camera in drive.rig.cameras {
      let time = drive.timestampMicroseconds(ofFrame: 1, camera: camera)
      let eye = CameraEye(world: world, camera: camera, microseconds: time)
      let worldFromCamera = drive.worldFromEgo(atMicroseconds: time) * camera.egoFromCamera
      for (u, v) in [(0.0, 0.0), (87, 31), (40.5, 12.25)] {
        let ray = eye.ray(u, v)
        let onRay = SIMD3<Double>(ray.origin + ray.direction * 10)
        let point = worldFromCamera.inverse * (world.worldFromSnapshot * onRay)
        let back = SIMD2(
          camera.intrinsics.focalX * point.x / point.z + camera.intrinsics.centerX,
          camera.intrinsics.focalY * point.y / point.z + camera.intrinsics.centerY)
        #expect(abs(back.x - u) < 1e-3 && abs(back.y - v) < 1e-3, "\(camera.name) \(u) \(v)")
      }
    }
  }

  @Test("Returns from the road lie on its plane within the noise")
  func roadPoints() throws {
    let drive = try TinyDrive.make()
    let frame = try TinyDrive.frame.get()
    let streetFromLidar =
      drive.worldFromStreet.inverse * frame.worldFromEgo * drive.rig.lidar.egoFromLidar
    var heights: [Double] = []
    for point in 0..<frame.pointTimes.count where frame.points[5 * point + 4] < 20 {
      let place = SIMD3<Double>(
        SIMD3(
          frame.points[5 * point], frame.points[5 * point + 1], frame.points[5 * point + 2]))
      let onStreet = streetFromLidar * place
      if abs(onStreet.y) < 2.5 && abs(onStreet.z) < 0.15 { heights.append(onStreet.z) }
    }
    #expect(heights.count > 100)
    let spread = (heights.map { $0 * $0 }.reduce(0, +) / Double(heights.count)).squareRoot()
    // 2 cm along rays that dip by at most 25°.
    #expect(spread < 0.012 && spread > 0.001, "\(spread) m")
  }

  @Test("Every return lies on its ray, off the surface by 2 cm on average and never by more than 12")
  func rangeNoise() throws {
    let drive = try TinyDrive.make(TinyDrive.options(raw: true))
    let world = FrameWorld(drive: drive, index: 0)
    let sweep = world.scan()
    var point = 0
    var errors: [Float] = []
    for (beam, index) in zip(sweep.beams, sweep.beams.indices) where beam.hits {
      // Returns keep the order of firings; a dropout leaves the ring number out.
      let ring = Float(index % drive.rig.lidar.beamCount)
      guard point < sweep.times.count else { break }
      let offset = drive.rig.timeOffset(ofAzimuth: index / drive.rig.lidar.beamCount)
      guard sweep.points[5 * point + 4] == ring, sweep.times[point] == Float(offset) else {
        continue
      }
      let p = SIMD3(
        sweep.points[5 * point], sweep.points[5 * point + 1], sweep.points[5 * point + 2])
      let ray = beam.end - beam.origin
      errors.append((p * p).sum().squareRoot() - (ray * ray).sum().squareRoot())
      point += 1
    }
    #expect(point == sweep.times.count)
    let spread = (errors.map { $0 * $0 }.reduce(0, +) / Float(errors.count)).squareRoot()
    #expect(abs(spread - 0.02) < 0.002, "\(spread)")
    #expect(errors.allSatisfy { abs($0) < 0.1201 })
    let hits = sweep.beams.count { $0.hits }
    let lost = Double(hits - point) / Double(hits)
    #expect(lost > 0.004 && lost < 0.018, "\(lost)")
  }

  @Test("Corrected points are the raw ones moved by the ego's motion since their firing")
  func motionCorrection() throws {
    let raw = FrameWorld(drive: try TinyDrive.make(TinyDrive.options(raw: true)), index: 2).scan()
    let drive = try TinyDrive.make()
    let corrected = FrameWorld(drive: drive, index: 2).scan()
    try #require(raw.times == corrected.times && !raw.times.isEmpty)
    let stamp = drive.timestampMicroseconds(ofFrame: 2)
    let mount = drive.rig.lidar.egoFromLidar
    let seconds = SyntheticDrive.seconds(stamp)
    var farthest = 0.0
    for point in stride(from: 0, to: raw.times.count, by: 7) {
      let there = drive.scene.path.worldFromEgo(seconds + Double(raw.times[point])) * mount
      let here = drive.scene.path.worldFromEgo(seconds) * mount
      let p = SIMD3<Double>(
        SIMD3(raw.points[5 * point], raw.points[5 * point + 1], raw.points[5 * point + 2]))
      let q = SIMD3<Double>(
        SIMD3(
          corrected.points[5 * point], corrected.points[5 * point + 1],
          corrected.points[5 * point + 2]))
      let error = here.inverse * (there * p) - q
      #expect((error * error).sum().squareRoot() < 1e-4)
      farthest = max(farthest, ((p - q) * (p - q)).sum().squareRoot())
    }
    // At 10 m/s the first firing is half a metre off.
    #expect(farthest > 0.4 && farthest < 0.7, "\(farthest)")
  }

  @Test("LiDAR returns of an object project onto that object; through a mirrored camera they do not")
  func pointsMeetPixels() throws {
    let drive = try TinyDrive.make(SyntheticDriveOptions(seed: 3, lidarAzimuthCount: 512))
    let world = FrameWorld(drive: drive, index: 1)
    let share = { (isMirrored: Bool) in
      meetingShare(world, isMirrored: isMirrored)
    }
    let right = share(false)
    let mirrored = share(true)
    // Parallax hides some: the cameras sit below and ahead of the LiDAR.
    #expect(right > 0.8, "\(right)")
    #expect(mirrored < 0.4, "\(mirrored)")
  }

  private func meetingShare(_ world: FrameWorld, isMirrored: Bool) -> Double {
    let drive = world.drive
    let sweep = world.scan()
    let camera = drive.rig.cameras[0]
    let time = drive.timestampMicroseconds(ofFrame: 1, camera: camera)
    let eye = CameraEye(world: world, camera: camera, microseconds: time)
    let key = world.worldFromEgo
    let keyEgoFromCamera =
      key.inverse * drive.worldFromEgo(atMicroseconds: time) * camera.egoFromCamera
    let overlay = CameraOverlay(
      image: RGBImage(widthPixels: 1, heightPixels: 1), intrinsics: camera.intrinsics,
      keyEgoFromCamera: keyEgoFromCamera)
    var met = 0
    var total = 0
    for point in 0..<sweep.times.count where sweep.objects[point] >= 0 {
      guard !world.snapshot.objects[Int(sweep.objects[point])].isMoving else { continue }
      let p = SIMD3<Double>(
        SIMD3(sweep.points[5 * point], sweep.points[5 * point + 1], sweep.points[5 * point + 2]))
      let inEgo = SIMD3<Float>(drive.rig.lidar.egoFromLidar * p)
      guard var pixel = overlay.pixel(inEgo)?.place, pixel.x > 0, pixel.y > 0,
        pixel.x < 703, pixel.y < 255
      else { continue }
      if isMirrored { pixel.x = 703 - pixel.x }
      total += 1
      let hit = world.tree.firstHit(eye.ray(pixel.x, pixel.y), limit: 200)
      guard let hit, hit.primitive >= 0 else { continue }
      if world.tree.primitives[Int(hit.primitive)].object == sweep.objects[point] { met += 1 }
    }
    return total == 0 ? 0 : Double(met) / Double(total)
  }

  @Test("The same options give the same frame, another seed another")
  func determinism() throws {
    let again = try TinyDrive.make().frame(1)
    let first = try TinyDrive.frame.get()
    #expect(again.points == first.points)
    #expect(again.cameras.map(\.image) == first.cameras.map(\.image))
    #expect(again.groundTruth == first.groundTruth)
    let other = try TinyDrive.make(TinyDrive.options(seed: 4)).frame(1)
    #expect(other.points != first.points)
  }

  @Test("Images are neither flat nor blank: sky, road and houses differ")
  func images() throws {
    for camera in try TinyDrive.frame.get().cameras {
      let colors = Set(
        stride(from: 0, to: camera.image.pixels.count, by: 3).map {
          [camera.image.pixels[$0] / 16, camera.image.pixels[$0 + 1] / 16]
        })
      #expect(colors.count > 12, "\(camera.name)")
    }
  }

  @Test("Boxes hold the returns counted for them")
  func boxes() throws {
    let drive = try TinyDrive.make()
    let frame = try TinyDrive.frame.get()
    #expect(frame.boxes.count > 5)
    #expect(Set(frame.boxes.map(\.identity)).count == frame.boxes.count)
    let worldFromLidar = frame.worldFromEgo * drive.rig.lidar.egoFromLidar
    var inside = 0
    var counted = 0
    for box in frame.boxes where !box.isMoving {
      counted += box.lidarPointCount
      let boxFromLidar = box.worldFromBox.inverse * worldFromLidar
      for point in 0..<frame.pointTimes.count {
        let p = SIMD3<Double>(
          SIMD3(
            frame.points[5 * point], frame.points[5 * point + 1], frame.points[5 * point + 2]))
        let local = boxFromLidar * p
        let reach = box.size / 2 + 0.12
        if abs(local.x) < reach.x && abs(local.y) < reach.y && local.z > -box.size.z / 2 + 0.13
          && local.z < reach.z
        {
          inside += 1
        }
      }
    }
    #expect(counted > 50)
    #expect(Double(inside) > 0.85 * Double(counted) && Double(inside) < 1.1 * Double(counted))
  }
}
