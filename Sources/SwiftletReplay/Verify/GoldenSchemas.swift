/// The schema of every golden operation, as the golden set's README tells its tensors.
enum GoldenSchemas {
  static let all: [String: GoldenSchema] = [projection, sampling, attention, layers, rest]
    .reduce(into: [:]) { all, table in
      for (name, text) in table { all[name] = GoldenSchema(text) }
    }

  /// Checks a case before its runner indexes into it.
  static func check(_ test: GoldenCase) throws(GoldenError) {
    if ["bevformer_encoder", "bevformer_encoder_layer"].contains(test.operation) {
      let isNumbered = test.has("param.layer0.norm0.weight")
      let layers = test.attributes["layers"]?.intValue ?? 0
      guard !isNumbered || (1...1000).contains(layers) else {
        throw .damaged(tensor: "attribute layers", expected: "1 to 1000", found: "\(layers)")
      }
      try GoldenSchema(encoder(layers: isNumbered ? layers : nil)).check(test)
    } else {
      try all[test.operation]?.check(test)
    }
  }

  /// Cells that 32-bit tables hold and a test machine's memory too.
  private static let cells = 1 << 28

  private static let projection: [String: String] = [
    "frustum_lift_cell_index": """
      in.u float32 fW
      in.v float32 fH
      in.d float32 D
      in.intrin float32 N 3 3
      in.rot float32 N 3 3
      in.trans float32 N 3
      in.post_rot float32 N 3 3
      in.post_trans float32 N 3
      in.bda float32 3 3
      in.grid_lower float32 3
      in.grid_step float32 3
      sizes grid_size_xyz X Y Z
      positive fW fH D
      product \(cells) P N D fH fW
      product \(cells) cells X Y Z
      """,
    "bev_pool_v2": """
      in.depth float32 N D h w
      in.feat float32 N h w C
      in.point_rank int32 N D h w
      in.cells? int32 I
      attribute B B
      attribute Z Z
      attribute Y Y
      attribute X X
      positive D h w C
      most 65000 w
      product \(cells) cells B Z Y X
      product \(cells) values cells C
      """,
    "depth_softmax_context_split": """
      in.conv float32 N K h w
      out.depth float32 N D h w
      out.context float32 N h w C
      positive D
      """,
    "fastbev_nearest_pull": """
      in.feat float32 N H W C
      in.projection float32 N 3 4
      sizes n_voxels_xyz X Y Z
      positive N H W C
      most 16 N
      product \(cells) values X Y Z C
      """,
    "simplebev_bilinear_pull": """
      in.feat float32 N H W C
      in.pix_from_ref float32 N 4 4
      in.cam_from_ref float32 N 4 4
      sizes ZYX Z Y X
      positive N H W C
      most 16 N
      product \(cells) values X Y Z C
      """,
    "inverse_perspective_mapping": """
      in.image uint8 N H W 3
      in.intrin float32 N 3 3
      in.distortion float32 N n
      in.limit float32 N
      in.rot float32 N 3 3
      in.trans float32 N 3
      out.count int32 Y X
      positive N Y X
      most 16 N
      most 32767 H W
      """,
    "camera_model": """
      in.intrin float32 3 3
      in.distortion? float32 k
      in.points? float32 n 3
      in.pixels? float32 m 2
      in.wide_points? float32 w 3
      in.wide_distortion? float32 l
      """,
  ]

  private static let sampling: [String: String] = [
    "grid_sample_2d": """
      in.x float32 N C H W
      in.grid float32 N h w 2
      product 16777215 cells H W
      """,
    "grid_sample_3d": """
      in.x float32 N C D H W
      in.grid float32 N d h w 3
      product 16777215 cells D H W
      """,
    "bevdet4d_warp": """
      in.prev_bev float32 Y X C
      in.cur_cam0_to_key float32 4 4
      in.prev_cam0_to_key float32 4 4
      in.bda? float32 3 3
      in.grid_lower_xy float32 2
      in.grid_step_xy float32 2
      positive Y X C
      """,
    "fbocc_history_warp": """
      in.history float32 Z Y X C
      in.cur_to_prev float32 4 4
      in.aug_prev float32 4 4
      in.aug_cur float32 4 4
      in.grid_lower float32 3
      in.grid_step float32 3
      positive Z Y X C
      """,
    "bevformer_rotate_shift": """
      attribute bev_h H
      attribute bev_w W
      in.prev_bev float32 H*W C
      in.can_bus float32 18
      """,
    "image_augmentation_matrix": """
      in.resize float32 n
      in.rotate_degrees float32 n
      in.crop_flip int32 n 5
      """,
  ]

  private static let rest: [String: String] = [
    "octomap_insert_point_cloud": """
      in.log_params float32 5
      """,
    "octomap_compute_ray_keys": """
      in.resolution float32 R
      in.origin float32 R 3
      in.end float32 R 3
      """,
    "pose_interpolation": """
      in.quat0 float64 n 4
      in.quat1 float64 n 4
      in.trans0 float64 n 3
      in.trans1 float64 n 3
      in.time0 int64 n
      in.time1 int64 n
      in.time int64 n
      """,
    "se3_compose_invert": """
      in.quat_a float64 n 4
      in.trans_a float64 n 3
      in.quat_b float64 n 4
      in.trans_b float64 n 3
      """,
    "quaternion_to_matrix": """
      in.quat float64 n 4
      """,
    "se3_sensor_to_key_ego": """
      in.quat_ego float64 N 4
      in.trans_ego float64 N 3
      in.quat_sensor float64 N 4
      in.trans_sensor float64 N 3
      positive N
      """,
    "voxel_iou": """
      in.pred uint8 X Y Z
      in.gt uint8 X Y Z
      in.mask? uint8 X Y Z
      """,
    "ray_iou": """
      in.pred uint8 X Y Z
      in.gt uint8 X Y Z
      in.origins float32 R 3
      in.ends float32 R 3
      """,
    "ray_iou_directions": """
      in.ray_index int32 n
      """,
  ]
}
