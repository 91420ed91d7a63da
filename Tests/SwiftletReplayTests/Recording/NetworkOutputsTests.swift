import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct NetworkOutputsTests {
  let features = HostTensor((0..<24).map { Float($0) }, shape: [2, 3, 4])
  let depth = HostTensor((0..<30).map { Float($0) / 30 }, shape: [5, 2, 3])

  @Test func `safetensors beside the frames become views with their preparation`() throws {
    let folder = try TemporaryFolder()
    let builder = try NuScenesBuilder()
    let stem = builder.file("CAM_FRONT", 1).split(separator: "/").last?.split(separator: ".").first
    try folder.write(
      "network_outputs/CAM_FRONT/\(try #require(stem)).safetensors",
      SafeTensors(
        tensors: ["features": features, "depth_logits": depth],
        metadata: [
          "network_width": "48", "network_height": "32", "augmentation": "0.75 0 0 0.75 0 -4",
        ]
      ).serialized())
    let frame = try builder.open(folder).loadFrame(1)
    let camera = frame.sensorFrame.cameras[0]
    #expect(camera.features?.shape ?? (0, 0, 0) == (2, 3, 4) && camera.depthIsLogits)
    #expect(camera.depth?.shape ?? (0, 0, 0) == (5, 2, 3))
    #expect(camera.networkWidthPixels == 48 && camera.augmentation.ty == -4)
    let view = try #require(camera.features)
    withExtendedLifetime(frame) {
      #expect(view.baseAddress.load(fromByteOffset: 92, as: Float.self) == 23)
    }
    #expect(frame.sensorFrame.cameras[1].isValid && frame.sensorFrame.cameras[1].features == nil)
    #expect(frame.warnings.count(ReplayWarning.networkOutputMissing, sensor: "CAM_BACK") == 1)
  }

  @Test func `channels-first features keep their bytes and change their strides`() throws {
    let folder = try TemporaryFolder()
    let builder = try NuScenesBuilder()
    let time = (NuScenesBuilder.start + 10_000) * 1_000
    try folder.write(
      "network_outputs/CAM_FRONT/\(time).safetensors",
      SafeTensors(
        tensors: ["features": HostTensor((0..<24).map { Float($0) }, shape: [4, 2, 3])],
        metadata: ["features_layout": "cyx"]
      ).serialized())
    let view = try builder.open(folder).loadFrame(0).sensorFrame.cameras[0].features
    #expect(view?.shape ?? (0, 0, 0) == (2, 3, 4))
    #expect(view?.strides ?? (0, 0, 0) == (3, 1, 6))
  }

  func npy(_ descriptor: String, _ shape: String, _ data: [UInt8], fortran: Bool = false) -> [UInt8] {
    var header =
      "{'descr': '\(descriptor)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
    while (header.utf8.count + 11) % 64 != 0 { header += " " }
    header += "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
      + Array(header.utf8) + data
  }

  @Test func `NumPy arrays are read in half and single precision`() throws {
    let folder = try TemporaryFolder()
    let builder = try NuScenesBuilder()
    let base = "network_outputs/CAM_BACK/\((NuScenesBuilder.start + 20_000) * 1_000)"
    try folder.write(
      base + ".features.npy", npy("<f4", "(1, 2, 3, 4)", floatBytes((0..<24).map { Float($0) })))
    try folder.write(base + ".depth.npy", npy("<f2", "(5, 2, 3)", [UInt8](repeating: 0, count: 60)))
    try folder.write(
      "network_outputs/network.json",
      #"{"network_width": 96, "augmentation": [1.5, 0, 0, 1.5, 0, 0]}"#)
    let camera = try builder.open(folder).loadFrame(0).sensorFrame.cameras[1]
    #expect(camera.features?.shape ?? (0, 0, 0) == (2, 3, 4))
    #expect(camera.depth?.elementType == .float16 && !camera.depthIsLogits)
    #expect(camera.networkWidthPixels == 96 && camera.augmentation.a11 == 1.5)
  }

  @Test func `tensors that cannot be used leave the camera without features`() throws {
    let good = floatBytes((0..<24).map { Float($0) })
    let damaged: [(String, [UInt8])] = [
      ("features.npy", npy("<f4", "(2, 3, 4)", good, fortran: true)),
      ("features.npy", npy("<f4", "(2, 3, 5)", good)), ("features.npy", npy(">f4", "(2, 3, 4)", good)),
      ("features.npy", npy("<f4", "(24,)", good)), ("features.npy", npy("<i4", "(2, 3, 4)", good)),
      ("features.npy", npy("<f4", "(9000000000, 9000000000, 9000000000)", good)),
      ("features.npy", npy("<f4", "(-2, -3, 4)", good)),
      ("features.npy", Array(npy("<f4", "(2, 3, 4)", good).prefix(20))), ("features.npy", []),
      ("safetensors", [1, 2, 3]),
      ("safetensors", SafeTensors(tensors: ["other": features]).serialized()),
      (
        "safetensors",
        SafeTensors(
          tensors: ["features": features, "depth": HostTensor([Float](repeating: 0, count: 8), shape: [2, 2, 2])]
        ).serialized()
      ),
      (
        "safetensors",
        SafeTensors(tensors: ["features": features], metadata: ["augmentation": "1 2"]).serialized()
      ),
    ]
    for (number, (suffix, bytes)) in damaged.enumerated() {
      let folder = try TemporaryFolder()
      let time = (NuScenesBuilder.start + 10_000) * 1_000
      try folder.write("network_outputs/CAM_FRONT/\(time).\(suffix)", bytes)
      let frame = try NuScenesBuilder().open(folder).loadFrame(0)
      #expect(frame.sensorFrame.cameras[0].features == nil, "case \(number)")
      #expect(frame.sensorFrame.cameras[0].isValid, "case \(number)")
      #expect(frame.warnings.count(ReplayWarning.networkOutputInvalid) == 1, "case \(number)")
    }
  }

  @Test func `without network outputs BEVDet's preparation is assumed`() throws {
    let folder = try TemporaryFolder()
    let camera = try NuScenesBuilder().open(folder).loadFrame(0).sensorFrame.cameras[0]
    // 64×48 → 704×528, the bottom 256 rows.
    #expect(camera.networkWidthPixels == 704 && camera.networkHeightPixels == 256)
    #expect(camera.augmentation == ImageAugmentation(a00: 11, a01: 0, a10: 0, a11: 11, tx: 0, ty: -272))
  }
}
