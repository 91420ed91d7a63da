import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

struct CalibrationRigTests {
  private func camera(_ name: String, _ lens: LensModel) -> CalibrationRig.Camera {
    CalibrationRig.Camera(
      name: name,
      intrinsics: CameraIntrinsics(
        focalX: 500.5, focalY: 501, centerX: 319.5, centerY: 239.5, lens: lens, widthPixels: 640,
        heightPixels: 480),
      egoFromCamera: RigidTransform(
        rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: 0.3),
        translation: SIMD3(1.5, -0.25, 1.25)))
  }

  @Test func `a rig read back from its own text is the same rig`() throws {
    let lenses: [LensModel] = [
      .pinhole, .brownConrady([0.1, -0.2, 0.001, 0.002, 0.05]), .kannalaBrandt([0.1, 0, 0, 0]),
      .fTheta([0, 1, -0.1]), .fThetaInverse([0, 1, 0.1, 0.01]),
    ]
    let rig = CalibrationRig(
      cameras: lenses.enumerated().map { camera("CAM_\($0.offset)", $0.element) })
    let back = try CalibrationRig(json: Array(rig.json.utf8))
    for (a, b) in zip(rig.cameras, back.cameras) {
      #expect(a.name == b.name && a.intrinsics == b.intrinsics)
      let difference = a.egoFromCamera.rotation * b.egoFromCamera.rotation.transpose
      #expect(difference.row0.x > 1 - 1e-15 && a.egoFromCamera.translation == b.egoFromCamera.translation)
    }
  }

  @Test func `an f-theta camera may be given by the polynomial in pixels`() throws {
    let text = """
      {"schema_version": 1, "cameras": [{"name": "CAM", "width_pixels": 1920, "height_pixels": 1208,
       "center_pixels": [960, 604], "angle_to_pixels": [0, 900, 0, -20],
       "ego_from_camera": {"rotation_wxyz": [1, 0, 0, 0], "translation_meters": [0, 0, 1]}}]}
      """
    let rig = try CalibrationRig(json: Array(text.utf8))
    #expect(rig.cameras[0].intrinsics.focalX == 900)
    #expect(rig.cameras[0].intrinsics.lens == .fTheta([0, 1, 0, -20.0 / 900]))
  }

  @Test(arguments: [
    "", "{}", #"{"schema_version": 2, "cameras": []}"#, #"{"schema_version": 1, "cameras": [{}]}"#,
    #"{"schema_version": 1, "cameras": [{"name": "C", "width_pixels": 0}]}"#,
  ])
  func `damaged rig files are errors that name the field`(text: String) {
    #expect(throws: ConfigurationError.self) { try CalibrationRig(json: Array(text.utf8)) }
  }

  @Test func `mirroring a mount twice gives it back, and once keeps it a rotation`() {
    let mount = camera("C", .pinhole).egoFromCamera
    let once = CalibrationDoctor.mirrored(mount)
    #expect(abs(once.rotation.determinant - 1) < 1e-12)
    #expect(once.translation == SIMD3(1.5, 0.25, 1.25))
    #expect(CalibrationDoctor.mirrored(once) == mount)
  }
}
