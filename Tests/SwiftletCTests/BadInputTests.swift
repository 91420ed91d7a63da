import CSwiftlet
import Foundation
import Swiftlet
import SwiftletC
import Synchronization
import Testing

/// What a caller can get wrong: each has its status and a message that says what to do.
@Suite struct BadInputTests {
  typealias ErrorPlace = UnsafeMutablePointer<swiftlet_error>

  /// Runs a call that must fail with `status`; its message must have every one of `parts`.
  private func refused(
    _ status: Int, _ parts: [String], _ name: String, _ call: (ErrorPlace) -> Int32
  ) {
    var error = swiftlet_error()
    let found = call(&error)
    let text = message(error)
    #expect(
      found == Int32(status) && error.status == found,
      "\(name): \(String(cString: swiftlet_status_name(found))) \(text)")
    // Where, what was expected, what was found, and what to do.
    #expect(text.contains("expected") && text.contains("found") && text.contains("; "), "\(name): \(text)")
    for part in parts { #expect(text.contains(part), "\(name): no '\(part)' in: \(text)") }
  }

  @Test func `every function refuses a null handle`() {
    var (double, doubles) = (0.0, [Double](repeating: 0, count: 12))
    var frame = swiftlet_frame()
    var size = 0
    let calls: [(String, (ErrorPlace) -> Int32)] = [
      ("create", { swiftlet_pipeline_create(nil, nil, $0) }),
      ("set_rig", { swiftlet_pipeline_set_rig(nil, nil, $0) }),
      ("process", { swiftlet_pipeline_process(nil, &frame, $0) }),
      ("project", { swiftlet_pipeline_project(nil, &frame, $0) }),
      ("update", { swiftlet_pipeline_update(nil, $0) }),
      ("fuse", { swiftlet_pipeline_fuse(nil, $0) }),
      ("reset", { swiftlet_pipeline_reset(nil, $0) }),
      ("configuration", { swiftlet_pipeline_configuration(nil, nil, 0, &size, $0) }),
      ("weights_create", { swiftlet_weights_create(nil, nil, 0, nil, $0) }),
      ("swap_weights", { swiftlet_pipeline_swap_weights(nil, nil, $0) }),
      ("map", { swiftlet_pipeline_map(nil, 0, nil, $0) }),
      ("ages", { swiftlet_pipeline_ages(nil, nil, $0) }),
      ("head", { swiftlet_pipeline_head(nil, 0, nil, $0) }),
      ("occupancy", { swiftlet_pipeline_occupancy(nil, nil, $0) }),
      ("findings", { swiftlet_pipeline_findings(nil, nil, 0, nil, $0) }),
      ("digest_create", { swiftlet_digest_create(nil, $0) }),
      ("digest_add", { swiftlet_digest_add(nil, nil, nil, $0) }),
      ("digest_value", { swiftlet_digest_value(nil, nil, $0) }),
      ("save", { swiftlet_pipeline_save(nil, nil, 0, &size, $0) }),
      ("load", { swiftlet_pipeline_load(nil, nil, 0, $0) }),
      ("frame_file_open", { swiftlet_frame_file_open(nil, 0, nil, $0) }),
      ("frame_file_rig", { swiftlet_frame_file_rig(nil, nil, $0) }),
      ("frame_file_frame", { swiftlet_frame_file_frame(nil, nil, $0) }),
      ("query_states", { swiftlet_query_states(nil, &double, 1, nil, $0) }),
      ("query_volume", { swiftlet_query_volume(nil, &doubles, &doubles, 1, nil, nil, $0) }),
      ("query_rays", { swiftlet_query_rays(nil, &doubles, nil, 0, 1, 0, nil, nil, nil, $0) }),
      ("query_box", { swiftlet_query_box(nil, &doubles, &doubles, nil, $0) }),
      ("query_path", { swiftlet_query_path(nil, &doubles, 1, &doubles, 0, nil, nil, $0) }),
      ("prepare_queries", { swiftlet_pipeline_prepare_queries(nil, nil, $0) }),
      ("update_queries", { swiftlet_pipeline_update_queries(nil, $0) }),
      ("query_distances", { swiftlet_query_distances(nil, &double, 1, nil, $0) }),
      ("query_cost_map", { swiftlet_query_cost_map(nil, nil, $0) }),
      ("query_obstacles", { swiftlet_query_obstacles(nil, nil, 0, &size, $0) }),
      ("kernels_create", { swiftlet_kernels_create(nil, nil, $0) }),
      ("bev_pool", { swiftlet_bev_pool(nil, nil, nil, nil, nil, nil, $0) }),
      ("attention", { swiftlet_deformable_attention(nil, nil, nil, nil, nil, nil, nil, $0) }),
      ("octomap_create", { swiftlet_octomap_create(nil, 0.2, nil, nil, $0) }),
      ("octomap_insert", { swiftlet_octomap_insert(nil, nil, 0, nil, 1, 0, $0) }),
      ("octomap_voxels", { swiftlet_octomap_voxels(nil, nil, nil, 0, nil, $0) }),
    ]
    for (name, call) in calls { refused(Int(SWIFTLET_ERROR_NULL), ["NULL"], name, call) }
    // Freeing nothing is no mistake, and no error place is needed.
    #expect(swiftlet_pipeline_destroy(nil) == 0 && swiftlet_weights_destroy(nil) == 0)
    #expect(swiftlet_digest_destroy(nil) == 0 && swiftlet_frame_file_destroy(nil) == 0)
    #expect(swiftlet_kernels_destroy(nil) == 0 && swiftlet_octomap_destroy(nil) == 0)
    #expect(swiftlet_pipeline_process(nil, nil, nil) == Int32(SWIFTLET_ERROR_NULL))
  }

  @Test func `null arguments behind a sound handle are named`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    let null = Int(SWIFTLET_ERROR_NULL)
    refused(null, ["frame"], "frame") { swiftlet_pipeline_process(pipeline.handle, nil, $0) }
    refused(null, ["rig"], "rig") { swiftlet_pipeline_set_rig(pipeline.handle, nil, $0) }
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) == 0)
    refused(null, ["view"], "view") { swiftlet_pipeline_map(pipeline.handle, 0, nil, $0) }
    refused(null, ["bytes"], "bytes") { swiftlet_pipeline_load(pipeline.handle, nil, 9, $0) }
    refused(null, ["positions"], "positions") {
      swiftlet_query_states(pipeline.handle, nil, 1, nil, $0)
    }
    scene.frame.cameras = nil
    refused(null, ["cameras"], "cameras") {
      swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
    }
    scene.frame.cameras = UnsafePointer(scene.cameraFrames)
    scene.lidarFrames[0].points = nil
    refused(null, ["lidars[0].points"], "points") {
      swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
    }
  }

  @Test func `structures of a wrong size are refused wherever they are given`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    let wrong = Int(SWIFTLET_ERROR_STRUCT_SIZE)
    for size: UInt32 in [0, 7, 5000, .max] {
      let found = "found \(size)"
      func process(_ name: String, _ part: String) {
        refused(wrong, [part, found, "_init"], name) {
          swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
        }
      }
      let sound = (scene.frame.struct_size, scene.rig.struct_size)
      scene.frame.struct_size = size
      process("frame", "frame.struct_size")
      scene.frame.struct_size = sound.0
      for index in 0..<2 {
        let kept = scene.cameraFrames[index].struct_size
        scene.cameraFrames[index].struct_size = size
        process("camera frame", "cameras[\(index)].struct_size")
        scene.cameraFrames[index].struct_size = kept
      }
      let lidar = scene.lidarFrames[0].struct_size
      scene.lidarFrames[0].struct_size = size
      process("LiDAR frame", "lidars[0].struct_size")
      scene.lidarFrames[0].struct_size = lidar
      scene.frame.map_count = 1
      let map = scene.mapFrames[0].struct_size
      scene.mapFrames[0].struct_size = size
      process("map", "maps[0].struct_size")
      scene.mapFrames[0].struct_size = map
      scene.frame.map_count = 0
      scene.rig.struct_size = size
      refused(wrong, ["rig.struct_size", found], "rig") {
        swiftlet_pipeline_set_rig(pipeline.handle, &scene.rig, $0)
      }
      scene.rig.struct_size = sound.1
      let camera = scene.cameras[1].struct_size
      scene.cameras[1].struct_size = size
      refused(wrong, ["rig.cameras[1]", found], "camera") {
        swiftlet_pipeline_set_rig(pipeline.handle, &scene.rig, $0)
      }
      scene.cameras[1].struct_size = camera
    }
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) == 0)
  }

  @Test func `poses that are not finite, rotate by more than a rotation or lie nowhere`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    for (change, part): ((inout LinkedScene.Doubles) -> Void, String) in [
      ({ $0.3 = .nan }, "nan"), ({ $0.0 = .infinity }, "translation"), ({ $0.5 = 2 }, "translation"),
      ({ $0.3 = 1e300 }, "1e+300"), ({ $0.10 = .nan }, "translation"),
    ] {
      let sound = scene.frame.world_from_ego
      change(&scene.frame.world_from_ego)
      refused(Int(SWIFTLET_ERROR_INPUT), [part], "frame pose") {
        swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
      }
      scene.frame.world_from_ego = sound
    }
    // A sensor's own pose costs that sensor only.
    scene.lidarFrames[0].world_from_lidar.7 = .nan
    scene.cameraFrames[1].key_ego_from_camera.0 = .nan
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) == 0)
    var findings = [swiftlet_finding](repeating: swiftlet_finding(), count: 8)
    var count = 0
    #expect(swiftlet_pipeline_findings(pipeline.handle, &findings, 8, &count, nil) == 0)
    let kinds = findings.prefix(count).map { "\($0.kind)/\($0.sensor)" }
    #expect(Set(kinds) == ["1/1", "3/0"], "\(kinds)")
    // And in the rig it is refused.
    scene.cameras[0].ego_from_camera.3 = .nan
    refused(Int(SWIFTLET_ERROR_CALIBRATION), ["camera 0"], "mount") {
      swiftlet_pipeline_set_rig(pipeline.handle, &scene.rig, $0)
    }
    var box = swiftlet_box_result()
    var pose = [1.0, 0, 0, .nan, 0, 1, 0, 0, 0, 0, 1, 0]
    refused(Int(SWIFTLET_ERROR_INPUT), ["world_from_box"], "box pose") {
      swiftlet_query_box(pipeline.handle, &pose, [1, 1, 1], &box, $0)
    }
    var path = swiftlet_path_result()
    refused(Int(SWIFTLET_ERROR_INPUT), ["world_from_boxes"], "path pose") {
      swiftlet_query_path(pipeline.handle, &pose, 1, [1, 1, 1], 0, &box, &path, $0)
    }
    pose[3] = 0
    refused(Int(SWIFTLET_ERROR_INPUT), ["size", "nan"], "box size") {
      swiftlet_query_path(pipeline.handle, &pose, 1, [1, .nan, 1], 0, &box, &path, $0)
    }
  }

  @Test func `absurd counts`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    func process(_ status: Int, _ parts: [String], _ name: String) {
      refused(status, parts, name) { swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0) }
    }
    let input = Int(SWIFTLET_ERROR_INPUT)
    for count in [Int(-1), .max, .min, 1 << 40] {
      scene.lidarFrames[0].point_count = count
      process(
        Int(SWIFTLET_ERROR_TOO_LARGE), ["\(UInt(bitPattern: count))", "maximum_points"], "points")
    }
    scene.lidarFrames[0].point_count = 602
    process(input, ["602", "byte_count"], "one point more than there is")
    scene.lidarFrames[0].point_count = 601
    for stride in [0, 11, 5000, -12] {
      scene.lidarFrames[0].record_stride = stride
      process(input, ["record_stride"], "record of \(stride) bytes")
    }
    scene.lidarFrames[0].record_stride = 12
    scene.lidarFrames[0].z_offset = 9
    process(input, ["offsets"], "a field beyond the record")
    scene.lidarFrames[0].z_offset = 8
    scene.frame.camera_count = 3
    process(input, ["3", "SWIFTLET_SENSOR_VALID"], "a camera more than the rig has")
    scene.frame.camera_count = .max
    process(input, ["4294967295"], "cameras without end")
    scene.frame.camera_count = 2
    scene.frame.map_count = 3
    process(input, ["map_count"], "three maps")
    scene.frame.map_count = 0
    scene.rig.camera_count = 13
    refused(input, ["12 cameras"], "rig") {
      swiftlet_pipeline_set_rig(pipeline.handle, &scene.rig, $0)
    }
    var state: UInt8 = 0
    refused(input, ["18446744073709551615"], "queries") {
      swiftlet_query_states(pipeline.handle, [0, 0, 0], -1, &state, $0)
    }
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) == 0)
  }

  private static var oddTensors: [(String, String, (inout swiftlet_tensor) -> Void)] {
    typealias Change = (inout swiftlet_tensor) -> Void
    let overlappingRows: Change = { $0.strides = (100, 32, 1) }
    let overlappingColumns: Change = { $0.strides = (352, 16, 1) }
    let zeroStride: Change = { $0.strides = (352, 32, 0) }
    let negativeStride: Change = { $0.strides = (-352, 32, 1) }
    let leavingBuffer: Change = { $0.strides = (353, 32, 1) }
    let leavingMemory: Change = { $0.strides = (1 << 62, 32, 1) }
    let short: Change = { $0.byte_count -= 1 }
    let empty: Change = { $0.byte_count = 0 }
    let otherShape: Change = { $0.shape.2 = 31 }
    let absurdShape: Change = { $0.shape.0 = .max }
    let askew: Change = { $0.data = $0.data + 1 }
    let noType: Change = { $0.element_type = 7 }
    return [
      ("rows that overlap", "keep elements apart", overlappingRows),
      ("columns that overlap", "keep elements apart", overlappingColumns),
      ("stride 0", "strides of 1 or more", zeroStride),
      ("a negative stride", "strides of 1 or more", negativeStride),
      ("strides that leave the buffer", "ends at byte", leavingBuffer),
      ("strides that leave memory", "strides", leavingMemory),
      ("a buffer one byte short", "ends at byte", short),
      ("no buffer", "ends at byte", empty),
      ("another shape", "shape", otherShape),
      ("an absurd shape", "shape", absurdShape),
      ("an address off by one", "align", askew),
      ("no element type", "convert", noType),
    ]
  }

  @Test func `tensors that overlap, leave their buffer or lie askew`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    let sound = scene.cameraFrames[0].features
    for (name, part, change) in Self.oddTensors {
      scene.cameraFrames[0].features = sound
      change(&scene.cameraFrames[0].features)
      refused(Int(SWIFTLET_ERROR_INPUT), ["cameras[0].features", part], name) {
        swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
      }
    }
    scene.cameraFrames[0].features = sound
    scene.frame.map_count = 1
    scene.mapFrames[0].validity_byte_count = 399
    refused(Int(SWIFTLET_ERROR_INPUT), ["maps[0].validity", "400", "399"], "validity") {
      swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
    }
    scene.mapFrames[0].validity_byte_count = 400
    scene.mapFrames[0].features.strides = (1, 1, 1)
    refused(Int(SWIFTLET_ERROR_INPUT), ["maps[0].features"], "map strides") {
      swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
    }
  }

  @Test func `a refused frame leaves the results as they were`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    scene.place(1)
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) == 0)
    let before = pipeline.digest
    scene.place(2)
    scene.frame.world_from_ego.3 = .nan
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) != 0)
    scene.place(2)
    scene.lidarFrames[0].byte_count = 100
    #expect(swiftlet_pipeline_process(pipeline.handle, &scene.frame, nil) != 0)
    #expect(pipeline.digest == before)
  }

  @Test func `a second thread in one handle is refused and harms nothing`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(scene)
    let refusals = Atomic<Int>(0)
    let others = Atomic<Int>(0)
    let done = Atomic<Bool>(false)
    nonisolated(unsafe) let handle = pipeline.handle
    let thread = Thread {
      var error = swiftlet_error()
      var view = swiftlet_map_view()
      while !done.load(ordering: .relaxed) {
        let status = swiftlet_pipeline_map(handle, 0, &view, &error)
        if status == Int32(SWIFTLET_ERROR_BUSY) {
          if message(error).contains("use a handle a thread") {
            refusals.add(1, ordering: .relaxed)
          }
        } else if status != 0 && status != Int32(SWIFTLET_ERROR_STATE) {
          others.add(1, ordering: .relaxed)
        }
      }
    }
    thread.start()
    var frames = 0
    while (frames < 20 || refusals.load(ordering: .relaxed) == 0) && frames < 100_000 {
      let status = swiftlet_pipeline_process(handle, &scene.frame, nil)
      #expect(status == 0 || status == Int32(SWIFTLET_ERROR_BUSY))
      frames += 1
    }
    done.store(true, ordering: .relaxed)
    while !thread.isFinished { usleep(1000) }
    #expect(refusals.load(ordering: .relaxed) > 0 && others.load(ordering: .relaxed) == 0)
  }

  @Test func `calls out of order say which comes first`() {
    let scene = LinkedScene()
    let pipeline = LinkedPipeline(nil)
    let state = Int(SWIFTLET_ERROR_STATE)
    refused(state, ["swiftlet_pipeline_set_rig"], "no rig") {
      swiftlet_pipeline_process(pipeline.handle, &scene.frame, $0)
    }
    #expect(swiftlet_pipeline_set_rig(pipeline.handle, &scene.rig, nil) == 0)
    var view = swiftlet_map_view()
    refused(state, ["swiftlet_pipeline_process"], "no frame") {
      swiftlet_pipeline_map(pipeline.handle, 0, &view, $0)
    }
    refused(state, ["swiftlet_pipeline_project"], "update first") {
      swiftlet_pipeline_update(pipeline.handle, $0)
    }
    #expect(swiftlet_pipeline_project(pipeline.handle, &scene.frame, nil) == 0)
    refused(state, ["swiftlet_pipeline_update"], "fuse first") {
      swiftlet_pipeline_fuse(pipeline.handle, $0)
    }
    #expect(swiftlet_pipeline_update(pipeline.handle, nil) == 0)
    refused(state, ["swiftlet_pipeline_project"], "update twice") {
      swiftlet_pipeline_update(pipeline.handle, $0)
    }
    #expect(swiftlet_pipeline_fuse(pipeline.handle, nil) == 0)
    var distance: Float = 0
    refused(state, ["swiftlet_pipeline_prepare_queries"], "queries not prepared") {
      swiftlet_query_distances(pipeline.handle, [0, 0, 0], 1, &distance, $0)
    }
    #expect(swiftlet_pipeline_prepare_queries(pipeline.handle, nil, nil) == 0)
    refused(state, ["swiftlet_pipeline_update_queries"], "queries not updated") {
      swiftlet_query_distances(pipeline.handle, [0, 0, 0], 1, &distance, $0)
    }
  }
}
