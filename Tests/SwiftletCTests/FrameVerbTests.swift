import CSwiftlet
import Swiftlet
import SwiftletC
import SwiftletTestSupport
import Testing

/// Project, update and fuse one by one, radar maps and priors, heads, and weights swapped in a drive.
@Suite struct FrameVerbTests {
  private func process(_ pipeline: LinkedPipeline, _ scene: LinkedScene) {
    var error = swiftlet_error()
    let status = swiftlet_pipeline_process(pipeline.handle, &scene.frame, &error)
    #expect(status == 0, "\(message(error))")
  }
  private func inVerbs(_ pipeline: LinkedPipeline, _ scene: LinkedScene, fuses: Bool = true) {
    #expect(swiftlet_pipeline_project(pipeline.handle, &scene.frame, nil) == 0)
    #expect(swiftlet_pipeline_update(pipeline.handle, nil) == 0)
    if fuses { #expect(swiftlet_pipeline_fuse(pipeline.handle, nil) == 0) }
  }
  private func fused(_ pipeline: LinkedPipeline) -> [Float] {
    var view = swiftlet_map_view()
    #expect(swiftlet_pipeline_map(pipeline.handle, Int32(SWIFTLET_MAP_FUSED), &view, nil) == 0)
    return Array(
      UnsafeBufferPointer(start: view.features, count: Int(view.rows * view.columns * view.channels)))
  }

  @Test func `three verbs give what one call gives`() {
    let scene = LinkedScene()
    let (one, three) = (LinkedPipeline(scene), LinkedPipeline(scene))
    for index in 0..<4 {
      scene.place(index)
      process(one, scene)
      inVerbs(three, scene)
      #expect(one.digest == three.digest, "frame \(index)")
    }
  }

  @Test func `a frame given up before fuse keeps the fused map and moves the window on`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    scene.place(0)
    process(pipeline, scene)
    let before = fused(pipeline)
    var (window, later) = (swiftlet_occupancy_view(), swiftlet_occupancy_view())
    #expect(swiftlet_pipeline_occupancy(pipeline.handle, &window, nil) == 0)
    scene.place(10)
    inVerbs(pipeline, scene, fuses: false)
    #expect(fused(pipeline) == before)
    #expect(swiftlet_pipeline_occupancy(pipeline.handle, &later, nil) == 0)
    #expect(later.origin.0 > window.origin.0)
    scene.place(11)
    process(pipeline, scene)
    #expect(fused(pipeline) != before)
  }

  @Test func `a radar map and a prior are fused, shown and digested`() {
    let scene = LinkedScene()
    scene.rig.flags = UInt32(SWIFTLET_RIG_RADAR_MAP | SWIFTLET_RIG_MAP_PRIOR)
    let (without, with) = (LinkedPipeline(scene), LinkedPipeline(scene))
    scene.place(1)
    process(without, scene)
    scene.frame.map_count = 2
    process(with, scene)
    #expect(fused(without) != fused(with) && without.digest != with.digest)
    var view = swiftlet_map_view()
    for map in [SWIFTLET_MAP_RADAR, SWIFTLET_MAP_PRIOR] {
      #expect(swiftlet_pipeline_map(without.handle, Int32(map), &view, nil) == Int32(SWIFTLET_ERROR_STATE))
      #expect(swiftlet_pipeline_map(with.handle, Int32(map), &view, nil) == 0)
      #expect(view.rows == 20 && view.channels == 32)
    }
    // A kind given twice, or none of them.
    scene.mapFrames[1].kind = Int32(SWIFTLET_BEV_RADAR)
    #expect(swiftlet_pipeline_process(with.handle, &scene.frame, nil) == Int32(SWIFTLET_ERROR_INPUT))
    scene.mapFrames[1].kind = 2
    #expect(swiftlet_pipeline_process(with.handle, &scene.frame, nil) == Int32(SWIFTLET_ERROR_INPUT))
    // A pose that is none masks the map and says so.
    scene.frame.map_count = 1
    scene.mapFrames[0].world_from_ego.0 = .nan
    process(with, scene)
    var (finding, count) = (swiftlet_finding(), 0)
    #expect(swiftlet_pipeline_findings(with.handle, &finding, 1, &count, nil) == 0)
    #expect(count == 1 && finding.kind == Int32(SWIFTLET_BEV_INVALID) && finding.sensor == 0)
  }

  @Test func `ages are 0 where a frame saw something and none where it did not`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    scene.place(0)
    process(pipeline, scene)
    var ages: UnsafePointer<UInt16>?
    #expect(swiftlet_pipeline_ages(pipeline.handle, &ages, nil) == 0)
    let first = Array(UnsafeBufferPointer(start: ages, count: 400))
    #expect(first.contains(0) && first.allSatisfy { $0 == 0 || $0 == .max })
    // Without any sensor what is left is the frame before, 100 ms old.
    scene.place(1)
    scene.cameraFrames[0].flags = 0
    scene.cameraFrames[1].flags = 0
    scene.lidarFrames[0].flags = 0
    process(pipeline, scene)
    #expect(swiftlet_pipeline_ages(pipeline.handle, &ages, nil) == 0)
    let second = Array(UnsafeBufferPointer(start: ages, count: 400))
    #expect(second.contains(100) && !second.contains(0))
  }

  @Test func `a path is the boxes along it`() {
    #expect(MemoryLayout<swiftlet_box_result>.size == MemoryLayout<BoxOccupancy>.size)
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    scene.place(0)
    process(pipeline, scene)
    var poses: [Double] = []
    for index in 0..<6 { poses += [1, 0, 0, 0.2 * Double(index), 0, 1, 0, 0.1, 0, 0, 1, 0.3] }
    var boxes = [swiftlet_box_result](repeating: swiftlet_box_result(), count: 6)
    var path = swiftlet_path_result()
    #expect(swiftlet_query_path(pipeline.handle, poses, 6, [1, 1, 1], 0, &boxes, &path, nil) == 0)
    var first = -1
    for index in 0..<6 {
      // Steps of half a voxel: those between two poses 0.2 m apart look at no fewer voxels.
      var box = swiftlet_box_result()
      let pose = Array(poses[12 * index..<12 * index + 12])
      #expect(swiftlet_query_box(pipeline.handle, pose, [1, 1, 1], &box, nil) == 0)
      #expect(boxes[index].occupied >= box.occupied)
      if index == 0 {
        #expect(boxes[0].free == box.free && boxes[0].unknown == box.unknown)
        #expect(boxes[0].outside == box.outside && boxes[0].occupied == box.occupied)
      }
      if boxes[index].occupied > 0, first < 0 { first = index }
    }
    #expect(path.first_occupied == Int32(first) && path.steps >= 6)
    #expect(path.state == UInt8(first >= 0 ? 2 : boxes.contains { $0.unknown > 0 } ? 0 : 1))
  }

  // MARK: weights

  private static let withHead = LinkedScene.configuration.dropLast()
    + #", "heads": {"semantic_classes": 3}}"#

  /// A file of weights whose semantic head prefers class `favourite`.
  private func file(_ favourite: Int) throws -> [UInt8] {
    let configuration = try PipelineConfiguration(json: Array(String(Self.withHead).utf8))
    var bias = [Float](repeating: 0, count: 3)
    bias[favourite] = 100
    let weights = PipelineWeights(
      fusion: .default(channels: 32, heads: configuration.fusion.headCount, modalities: 5),
      semanticHead: HeadWeights(weight: [Float](repeating: 0.01, count: 96), bias: bias))
    return weights.file(configuration: configuration).serialized()
  }
  private func labels(_ pipeline: LinkedPipeline) -> Set<UInt8> {
    var view = swiftlet_head_view()
    #expect(swiftlet_pipeline_head(pipeline.handle, Int32(SWIFTLET_HEAD_SEMANTIC), &view, nil) == 0)
    #expect(view.rows == 20 && view.columns == 20 && view.heights == 1 && view.classes == 3)
    return Set(UnsafeBufferPointer(start: view.labels, count: 400)).subtracting([255])
  }

  @Test func `weights swapped between frames answer from the next frame on, and swap back`() throws {
    let scene = LinkedScene()
    let configuration = String(Self.withHead)
    let pipeline = LinkedPipeline(scene, configuration: configuration, weights: try file(1))
    scene.place(0)
    process(pipeline, scene)
    #expect(labels(pipeline) == [1])
    var weights: OpaquePointer?
    let other = try file(2)
    #expect(swiftlet_weights_create(pipeline.handle, other, other.count, &weights, nil) == 0)
    defer { swiftlet_weights_destroy(weights) }
    for expected: UInt8 in [2, 1, 2] {
      #expect(swiftlet_pipeline_swap_weights(pipeline.handle, weights, nil) == 0)
      process(pipeline, scene)
      #expect(labels(pipeline) == [expected])
    }
    // Another configuration's are refused, and damaged ones never become a handle.
    let plain = LinkedPipeline(scene)
    var error = swiftlet_error()
    #expect(
      swiftlet_pipeline_swap_weights(plain.handle, weights, &error) == Int32(SWIFTLET_ERROR_WEIGHTS))
    #expect(message(error).contains("swiftlet_weights_create"))
    var none: OpaquePointer?
    let status = swiftlet_weights_create(pipeline.handle, other, other.count - 4, &none, &error)
    #expect(status == Int32(SWIFTLET_ERROR_WEIGHTS) && none == nil)
  }

  @Test func `a head the configuration has not is said to be missing`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    process(pipeline, scene)
    var (view, error) = (swiftlet_head_view(), swiftlet_error())
    #expect(swiftlet_pipeline_head(pipeline.handle, 0, &view, &error) == Int32(SWIFTLET_ERROR_STATE))
    #expect(message(error).contains("heads.occupancy_classes"))
    #expect(swiftlet_pipeline_head(pipeline.handle, 2, &view, &error) == Int32(SWIFTLET_ERROR_INPUT))
  }
}
