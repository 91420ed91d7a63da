import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

struct CalibrationDoctorTests {
  private let intrinsics = CameraIntrinsics(
    focalX: 200, focalY: 200, centerX: 99.5, centerY: 59.5, widthPixels: 200, heightPixels: 120)

  /// White bars and boxes on black, and points along their outlines 10 m away.
  private func scene(
    turnedBy degrees: SIMD3<Double>, depths: [Double] = [10]
  ) -> (RGBImage, [DepthEdges.Edge]) {
    var canvas = Canvas(widthPixels: 200, heightPixels: 120)
    var random = SeededGenerator(seed: 5)
    var edges: [DepthEdges.Edge] = []
    let back = CalibrationDoctor.turn(degrees).transpose
    for box in 0..<8 {
      let v = random.floats(2, in: 0...1)
      let left = 6 + box % 4 * 50 + Int(v[0] * 12)
      let top = 6 + box / 4 * 60 + Int(v[1] * 12)
      canvas.fillRectangle(x: left, y: top, width: 22, height: 30, color: .white)
      let depth = depths[box % depths.count]
      for step in 0..<30 {
        for (u, w, kind) in [
          (left, top + step, DepthEdges.Kind.side), (left + 21, top + step, .side),
          (left + step % 22, top, .top), (left + step % 22, top + 29, .top),
        ] {
          let ray = SIMD3((Double(u) - 99.5) / 200, (Double(w) - 59.5) / 200, 1)
          let p = depth * ray
          edges.append(DepthEdges.Edge(position: back * p, weight: 1, kind: kind))
        }
      }
    }
    return (canvas.image, edges)
  }

  private func finding(turnedBy degrees: SIMD3<Double>) throws -> CalibrationDoctor.Finding {
    var doctor = CalibrationDoctor()
    let (image, edges) = scene(turnedBy: degrees)
    doctor.add("CAM", CalibrationView(image, intrinsics, edges))
    return try #require(doctor.findings().first)
  }

  @Test("A right calibration is called good")
  func good() throws {
    let found = try finding(turnedBy: .zero)
    #expect(found.state == .good, "\(found)")
    #expect(found.edgeCount > 800 && found.score > 0.9)
  }

  @Test(
    "A turn about any axis is found within a tenth of a degree and undone by the turn it names",
    arguments: [
      SIMD3(0.5, 0.0, 0.0), SIMD3(-0.8, 0.0, 0.0), SIMD3(0.0, 0.5, 0.0), SIMD3(0.0, -1.5, 0.0),
      SIMD3(0.0, 0.0, 1.2), SIMD3(0.6, -0.7, 0.0),
    ])
  func turned(degrees: SIMD3<Double>) throws {
    let found = try finding(turnedBy: degrees)
    #expect(found.state == .turned)
    let error = found.turnDegrees + degrees
    // A pixel is 0.29°, the search ends at 0.05°; roll moves edges by fractions of a pixel.
    #expect(abs(error.x) < 0.16 && abs(error.y) < 0.16 && abs(error.z) < 0.35, "\(found)")
    #expect(found.bestScore > found.score)
  }

  @Test("A shift moves near edges more than far ones and is told from a turn by it")
  func shifted() throws {
    let shift = SIMD3(0.15, 0, 0)
    let (image, edges) = scene(turnedBy: .zero, depths: [5, 20, 9])
    var doctor = CalibrationDoctor()
    doctor.add("CAM", CalibrationView(image, intrinsics, edges.map { $0.moved(by: shift) }))
    let found = try #require(doctor.findings().first)
    #expect(found.state == .shifted, "\(found)")
    let error = found.best.shiftMeters - shift
    #expect((error * error).sum().squareRoot() < 0.04, "\(found)")
  }

  @Test("A camera that is late is found late by as much, and good once that is taken out")
  func late() throws {
    let velocity = SIMD3(6.0, 0, 0)
    let (image, edges) = scene(turnedBy: .zero, depths: [5, 20, 9])
    var view = CalibrationView(image, intrinsics, edges.map { $0.moved(by: 0.03 * velocity) })
    view.velocity = velocity
    var doctor = CalibrationDoctor()
    doctor.add("CAM", view)
    let diagnosis = doctor.diagnose()
    #expect(diagnosis.timeOffset.isFault)
    #expect(abs(diagnosis.timeOffset.seconds - 0.03) < 0.006, "\(diagnosis.timeOffset)")
    #expect(diagnosis.findings.first?.state == .good)
  }

  @Test("Evidence is full where an edge lies on the only image edge and gone ten pixels away")
  func profiles() {
    var canvas = Canvas(widthPixels: 200, heightPixels: 120)
    canvas.fillRectangle(x: 100, y: 0, width: 100, height: 120, color: .white)
    let edges = (20..<100).map { row in
      DepthEdges.Edge(position: SIMD3(0, (Double(row) - 59.5) / 20, 10), weight: 1)
    }
    let profiles = EdgeProfiles([CalibrationView(canvas.image, intrinsics, edges)], seconds: 0)
    let here = profiles.agreement(for: .zero)
    // A degree is 3.5 pixels here.
    let away = profiles.agreement(
      for: EdgeProfiles.Change(CalibrationError6(turnDegrees: SIMD3(0, 3, 0))))
    #expect(profiles.count == 80 && profiles.topCount == 0)
    #expect(here > 0.95 && here <= 1.001, "\(here)")
    #expect(away < 0.02, "\(away)")
  }

  @Test("Without edges nothing is decided")
  func undecided() throws {
    var doctor = CalibrationDoctor()
    doctor.add(
      "CAM", CalibrationView(RGBImage(widthPixels: 200, heightPixels: 120), intrinsics, []))
    #expect(try #require(doctor.findings().first).state == .undecided)
    #expect(CalibrationDoctor().findings().isEmpty)
  }

  @Test("Depth edges stand between the last return of a near thing and the first of a far one")
  func depthEdges() {
    // A wall 20 m ahead, a 2 m wide board 10 m ahead.
    var points: [SIMD3<Double>] = []
    for azimuth in -300...300 {
      for row in -3...3 {
        let y = Double(azimuth) * 0.0031
        // In the middle of the search's 0.6° rows: on their borders two rows would share a cell.
        let z = (Double(row) + 0.5) * 0.0105
        points.append(SIMD3(1, y, z) * (abs(y) < 0.1 ? 10 : 20))
      }
    }
    let edges = DepthEdges.find(points)
    #expect(edges.count >= 14 && edges.count <= 40, "\(edges.count)")
    for edge in edges {
      // The board's last firing is at 32 · 0.0031, the wall's first at 33.
      let slope = abs(edge.position.y / edge.position.x)
      #expect(slope > 32 * 0.0031 && slope < 33 * 0.0031, "\(edge.position)")
      #expect(abs(edge.position.x - 10) < 0.01)
    }
  }

  @Test("An edge map is strongest on the edge, halves at its reach and is nil outside")
  func edgeMap() throws {
    var canvas = Canvas(widthPixels: 40, heightPixels: 40)
    canvas.fillRectangle(x: 20, y: 0, width: 20, height: 40, color: .white)
    let map = EdgeMap(canvas.image, .across, reachPixels: 4)
    let other = EdgeMap(canvas.image, .down, reachPixels: 4)
    let onEdge = try #require(map.value(20, 20))
    let away = try #require(map.value(24, 20))
    #expect(onEdge == 1)
    #expect(abs(away - 0.5) < 1e-3)
    #expect(other.value(20, 20) == 0)
    #expect(map.value(-1, 5) == nil && map.value(5, 39.5) == nil)
  }

  @Test("A planted half degree in a synthetic drive is named, and the camera it was not planted in is not")
  func syntheticDrive() throws {
    // Small enough for a debug build: two cameras, half the resolution of the default rig.
    let drive = try SyntheticDrive(
      options: SyntheticDriveOptions(
        seed: 2, imageWidthPixels: 352, imageHeightPixels: 128, lidarAzimuthCount: 2048))
    var doctor = CalibrationDoctor()
    for index in [0, 9] {
      let world = FrameWorld(drive: drive, index: index)
      let sweep = world.scan()
      let edges = DepthEdges.find(
        (0..<sweep.times.count).map {
          SIMD3<Double>(
            SIMD3(sweep.points[5 * $0], sweep.points[5 * $0 + 1], sweep.points[5 * $0 + 2]))
        })
      for camera in drive.rig.cameras where ["CAM_FRONT", "CAM_BACK"].contains(camera.name) {
        var beams: [LidarSweep.Beam] = []
        let sample = world.render(camera, beams: &beams)
        var mount = camera.egoFromCamera
        if camera.name == "CAM_BACK" {
          let fault = CalibrationDoctor.turn(SIMD3(0, 0.8, 0))
          mount = mount * RigidTransform(rotation: fault, translation: .zero)
        }
        let cameraFromLidar =
          (sample.worldFromEgo * mount).inverse * world.worldFromEgo
          * drive.rig.lidar.egoFromLidar
        doctor.add(
          camera.name,
          CalibrationView(
            sample.image, camera.intrinsics,
            edges.map {
              DepthEdges.Edge(
                position: cameraFromLidar * $0.position, weight: $0.weight, kind: $0.kind)
            }))
      }
    }
    let findings = doctor.findings()
    let front = try #require(findings.first { $0.camera == "CAM_FRONT" })
    let back = try #require(findings.first { $0.camera == "CAM_BACK" })
    #expect(front.state == .good, "\(front)")
    #expect(back.state == .turned && abs(back.turnDegrees.y + 0.8) < 0.25, "\(back)")
  }
}

extension DepthEdges.Edge {
  fileprivate func moved(by step: SIMD3<Double>) -> DepthEdges.Edge {
    DepthEdges.Edge(position: position + step, weight: weight, kind: kind)
  }
}
